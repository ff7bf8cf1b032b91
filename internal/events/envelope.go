package events

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Envelope is a CloudEvent as it was found in a message.
//
// The SDK's event type is not used for reading: it rewrites the source as a URL
// and keeps the last of attributes given twice, while source and id must stay
// exactly what the publisher wrote, since tokens and result ids are made of them.
type Envelope struct {
	ID, Source, Type, Subject    string
	SpecVersion, DataContentType string
	// Time and ExpiryTime are zero where the event has none.
	Time, ExpiryTime time.Time
	Trace            Trace
	// Data is the event's data as it was carried; nil if it has none.
	Data json.RawMessage
	// Extensions are the other attributes, by name. An expirytime that is no
	// timestamp is among them: it refuses the command instead of making it
	// unanswerable.
	Extensions map[string]string
}

// set takes one attribute in. A bad type of a core attribute makes the message no
// CloudEvent.
func (e *Envelope) set(name, value string) *Undecodable {
	switch name {
	case "id":
		e.ID = value
	case "source":
		e.Source = value
	case "type":
		e.Type = value
	case "subject":
		e.Subject = value
	case "specversion":
		e.SpecVersion = value
	case "datacontenttype":
		e.DataContentType = value
	case "time":
		t, err := parseTime(value)
		if err != nil {
			return undecodable("attribute time is %v", err)
		}
		e.Time = t
	case "traceparent":
		e.Trace.Parent = value
	case "tracestate":
		e.Trace.State = value
	case "correlationid":
		e.Trace.Correlation = value
	case "expirytime":
		t, err := parseTime(value)
		if err != nil {
			e.extend(name, value)
			break
		}
		if t.IsZero() {
			// Stands for "none" in Go, but means "long ago" in an event.
			t = t.Add(time.Nanosecond)
		}
		e.ExpiryTime = t
	default:
		e.extend(name, value)
	}
	return nil
}

func (e *Envelope) extend(name, value string) {
	if e.Extensions == nil {
		e.Extensions = map[string]string{}
	}
	e.Extensions[name] = value
}

// check finds what every CloudEvent must have.
func (e *Envelope) check() *Undecodable {
	if e.SpecVersion != "1.0" {
		return undecodable("specversion is missing or not 1.0")
	}
	for _, a := range []struct{ name, value string }{{"id", e.ID}, {"source", e.Source}, {"type", e.Type}} {
		if a.value == "" {
			return undecodable("attribute %s is missing or empty", a.name)
		}
		// Not only by the letter of the specification: with a newline in them two
		// pairs of source and id could have one key.
		if !printable(a.value) {
			return undecodable("attribute %s holds control characters or is not UTF-8", a.name)
		}
	}
	return nil
}

// printable reports whether a value is a string of CloudEvents: valid UTF-8
// without control characters.
func printable(value string) bool {
	return utf8.ValidString(value) && strings.IndexFunc(value, unicode.IsControl) < 0
}

// isJSON reports whether a content type is JSON; none stands for JSON.
func isJSON(contentType string) bool {
	media := mediaType(contentType)
	return media == "" || media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// mediaType is a content type without parameters, in lower case.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}
