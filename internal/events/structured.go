package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

const (
	// ExtensionPublisher is the attribute that names who sent a command over HTTP.
	ExtensionPublisher = "sluicepublisher"
	// HeaderProof carries the intake's proof of that name.
	HeaderProof = "Sluice-Intake-Proof"
)

// Structured encodes an envelope whose data is JSON in structured mode. The same
// envelope always gives the same bytes; data and the identity of the event stay
// exactly what they were.
func (e Envelope) Structured() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	put := func(name string, value any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if err := enc.Encode(name); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the encoder ends lines
		b.WriteByte(':')
		if err := enc.Encode(value); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1)
		return nil
	}
	b.WriteByte('{')
	for _, a := range e.attributes() {
		if a.value == "" {
			continue
		}
		if err := put(a.name, a.value); err != nil {
			return nil, fmt.Errorf("encoding event: %w", err)
		}
	}
	if len(e.Data) > 0 {
		if err := put("data", e.Data); err != nil {
			return nil, fmt.Errorf("encoding event: %w", err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

type attribute struct{ name, value string }

// attributes lists what an event says besides its data, extensions last.
func (e Envelope) attributes() []attribute {
	out := []attribute{
		{"specversion", e.SpecVersion}, {"id", e.ID}, {"source", e.Source}, {"type", e.Type}, {"subject", e.Subject},
		{"time", stamp(e.Time)}, {"datacontenttype", e.DataContentType}, {"expirytime", stamp(e.ExpiryTime)},
		{"traceparent", e.Trace.Parent}, {"tracestate", e.Trace.State}, {"correlationid", e.Trace.Correlation},
	}
	for _, name := range slices.Sorted(maps.Keys(e.Extensions)) {
		out = append(out, attribute{name, e.Extensions[name]})
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Header finds a header in any case.
func Header(header map[string][]string, name string) string { return headerValue(header, name) }

// Statement is what the proof of a publisher's name covers: the name, the event's
// identity and the whole message. None of the first three can hold a line feed.
func Statement(publisher, source, id string, data []byte) []byte {
	return append([]byte("sluice intake v1\n"+publisher+"\n"+source+"\n"+id+"\n"), data...)
}
