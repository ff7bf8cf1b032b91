package events

import (
	"encoding/json"
	"net/url"
	"strings"
)

// MaxPayload is the limit on a message's payload in bytes.
const MaxPayload = 64 << 10

const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

// mode is how a message carries its event.
type mode int

const (
	structured mode = iota
	binary
	batch
)

// Open reads the CloudEvent of a message in structured or binary mode. The error
// is an *Undecodable.
func Open(header map[string][]string, data []byte) (Envelope, error) {
	var e Envelope
	var bad *Undecodable
	switch m := modeOf(header); {
	case len(data) > MaxPayload:
		bad = tooLarge(len(data))
	case m == batch:
		bad = &Undecodable{Reason: BatchOnLane, Detail: "a batch is taken on the intake subject only"}
	case m == binary:
		e, bad = openBinary(header, data)
	default:
		e, bad = openStructured(data)
	}
	if bad != nil {
		return e, bad
	}
	return e, nil
}

func tooLarge(size int) *Undecodable {
	bad := undecodable("the payload has %d bytes; at most %d are taken", size, MaxPayload)
	bad.Reason = TooLarge
	return bad
}

// modeOf tells the modes apart by content type, then by ce- headers; a message
// without either is structured or nothing.
func modeOf(header map[string][]string) mode {
	switch media := mediaType(headerValue(header, "content-type")); {
	case media == batchType:
		return batch
	case media == structuredType:
		return structured
	case headerValue(header, "ce-specversion") != "" || headerValue(header, "ce-id") != "":
		return binary
	}
	return structured
}

// openBinary reads attributes from ce- headers.
func openBinary(header map[string][]string, data []byte) (Envelope, *Undecodable) {
	var e Envelope
	specversion := ""
	for name, values := range header {
		attr, ok := strings.CutPrefix(strings.ToLower(name), "ce-")
		if !ok || len(values) == 0 {
			continue
		}
		value := unescape(values[0])
		if attr == "specversion" {
			specversion = value
			continue
		}
		if err := e.set(attr, value); err != nil {
			return e, undecodable("%v", err)
		}
	}
	if bad := e.complete(specversion); bad != nil {
		return e, bad
	}
	e.Data = data
	e.checkData(headerValue(header, "content-type"))
	return e, nil
}

// unescape undoes the percent-encoding of a header's value. Some publishers do
// not encode; what is no valid encoding is taken as it stands.
func unescape(value string) string {
	value = strings.TrimSpace(value)
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	if !strings.Contains(value, "%") {
		return value
	}
	plain, err := url.PathUnescape(value)
	if err != nil {
		return value
	}
	return plain
}

// escape percent-encodes a header's value as the CloudEvents bindings say:
// everything outside printable ASCII, and space, quote and percent sign.
func escape(value string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7F || c == '"' || c == '%' {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// headerValue finds a header in any case.
func headerValue(header map[string][]string, name string) string {
	if v := header[name]; len(v) > 0 {
		return v[0]
	}
	for k, v := range header {
		if len(v) > 0 && strings.EqualFold(k, name) {
			return v[0]
		}
	}
	return ""
}

// BatchItem is one member of a batch.
type BatchItem struct {
	Envelope Envelope
	// Raw is the member in structured mode.
	Raw []byte
	// Err says why the member is no CloudEvent; nil if it is one.
	Err *Undecodable
}

// OpenBatch reads a message in batch mode. The second result is false for a
// message in another mode, or a batch that is too large or no JSON array as a
// whole; Open then says why.
func OpenBatch(header map[string][]string, data []byte) ([]BatchItem, bool) {
	if modeOf(header) != batch || len(data) > MaxPayload {
		return nil, false
	}
	var members []json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return []BatchItem{{Raw: data, Err: undecodable("the batch is no JSON array")}}, true
	}
	if len(members) == 0 {
		return []BatchItem{{Raw: data, Err: undecodable("the batch is empty")}}, true
	}
	items := make([]BatchItem, len(members))
	for i, raw := range members {
		items[i].Raw = raw
		items[i].Envelope, items[i].Err = openStructured(raw)
	}
	return items, true
}
