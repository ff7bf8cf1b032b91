package events

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// MaxPayload is the limit on a message's payload in bytes.
const MaxPayload = 64 << 10

const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

// Open reads the CloudEvent of a message in structured or binary mode. The error
// is an *Undecodable.
func Open(header map[string][]string, data []byte) (Envelope, error) {
	e, bad := open(header, data)
	if bad != nil {
		return e, bad
	}
	return e, nil
}

func open(header map[string][]string, data []byte) (Envelope, *Undecodable) {
	if len(data) > MaxPayload {
		return Envelope{}, errTooLarge
	}
	switch media := mediaType(headerValue(header, "content-type")); {
	case media == batchType:
		return Envelope{}, &Undecodable{BatchOnLane, "a batch is taken on the intake subject only"}
	case media == structuredType, media == "application/cloudevents":
		return openStructured(data)
	case strings.HasPrefix(media, "application/cloudevents"):
		return Envelope{}, undecodable("its event format is not JSON; send %s", structuredType)
	case headerValue(header, "ce-specversion") != "":
		return openBinary(header, data)
	default:
		// Neither mode is announced: structured, or no event at all.
		return openStructured(data)
	}
}

// openBinary reads the attributes from ce- headers.
func openBinary(header map[string][]string, data []byte) (Envelope, *Undecodable) {
	e := Envelope{DataContentType: headerValue(header, "content-type")}
	attributes, bad := headerAttributes(header)
	if bad != nil {
		return e, bad
	}
	for name, value := range attributes {
		if bad := e.set(name, value); bad != nil {
			return e, bad
		}
	}
	if len(data) > 0 {
		e.Data = data
	}
	return e, e.check()
}

// openStructured reads the JSON event format.
func openStructured(data []byte) (Envelope, *Undecodable) {
	var e Envelope
	if !validJSON(data) {
		return e, undecodable("it has no ce- headers and is not JSON")
	}
	all, ok := members(data)
	if !ok {
		return e, undecodable("it has no ce- headers and is not a JSON object")
	}
	if name, twice := repeated(all); twice {
		return e, undecodable("attribute %s is given twice", quote(name))
	}
	for _, m := range all {
		var bad *Undecodable
		switch {
		case string(m.value) == "null":
			// As good as absent.
		case m.name == "data" && e.Data != nil:
			bad = errBothData
		case m.name == "data":
			e.Data = m.value
		case m.name == "data_base64":
			bad = e.setBase64(m.value)
		default:
			bad = e.setJSON(m.name, m.value)
		}
		if bad != nil {
			return e, bad
		}
	}
	return e, e.check()
}

var errBothData = undecodable("it has both data and data_base64")

// core are the attributes that must be strings.
var core = map[string]bool{
	"id": true, "source": true, "type": true, "specversion": true, "time": true, "subject": true, "datacontenttype": true,
}

// setJSON takes in an attribute in its JSON form. Extensions may be numbers and
// booleans; what is neither says nothing to us and is left out.
func (e *Envelope) setJSON(name string, value []byte) *Undecodable {
	switch {
	case value[0] == '"':
		return e.set(name, text(value))
	case core[name]:
		return undecodable("attribute %s is not a string", name)
	case name == "expirytime", value[0] != '{' && value[0] != '[':
		return e.set(name, string(value))
	}
	return nil
}

// setBase64 takes in data that is carried as bytes.
func (e *Envelope) setBase64(value []byte) *Undecodable {
	if e.Data != nil {
		return errBothData
	}
	if value[0] != '"' {
		return undecodable("data_base64 is not a string")
	}
	raw, err := base64.StdEncoding.DecodeString(text(value))
	if err != nil {
		return undecodable("data_base64 is not base64")
	}
	if len(bytes.TrimSpace(raw)) > 0 {
		e.Data = raw
	}
	return nil
}

// repeated finds a name that two members have. An object has few members, and one
// that has many is no command: past a handful a map finds it.
func repeated(all []member) (string, bool) {
	if len(all) <= 16 {
		for i, m := range all {
			for _, before := range all[:i] {
				if before.name == m.name {
					return m.name, true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]bool, len(all))
	for _, m := range all {
		if seen[m.name] {
			return m.name, true
		}
		seen[m.name] = true
	}
	return "", false
}
