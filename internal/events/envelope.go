package events

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/types"
)

// Envelope is a CloudEvent as it was found in a message.
type Envelope struct {
	ID, Source, Type, Subject string
	Time                      time.Time
	// ExpiryTime is the expirytime extension as text: a bad one refuses the
	// command instead of making it unanswerable.
	ExpiryTime string
	Trace      Trace
	// Data is the event's JSON data; nil if it has none.
	Data json.RawMessage
	// DataProblem says why there is data that cannot be read as JSON.
	DataProblem string
}

// set takes one attribute in; unknown ones are extensions that say nothing to us.
func (e *Envelope) set(name, value string) error {
	switch name {
	case "id":
		e.ID = value
	case "source":
		e.Source = value
	case "type":
		e.Type = value
	case "subject":
		e.Subject = value
	case "time":
		t, err := types.ParseTime(value)
		if err != nil {
			return fmt.Errorf("attribute time is no RFC 3339 timestamp")
		}
		e.Time = t
	case "expirytime":
		e.ExpiryTime = value
	case "traceparent":
		e.Trace.Parent = value
	case "tracestate":
		e.Trace.State = value
	case "correlationid":
		e.Trace.Correlation = value
	}
	return nil
}

// complete checks what every CloudEvent must have.
func (e *Envelope) complete(specversion string) *Undecodable {
	switch {
	case specversion == "":
		return undecodable("no specversion: not a CloudEvent")
	case specversion != "1.0":
		return undecodable("specversion is not 1.0")
	case e.ID == "":
		return undecodable("attribute id is missing or empty")
	case e.Source == "":
		return undecodable("attribute source is missing or empty")
	case e.Type == "":
		return undecodable("attribute type is missing or empty")
	}
	return nil
}

// openStructured reads the JSON event format.
func openStructured(data []byte) (Envelope, *Undecodable) {
	var e Envelope
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return e, undecodable("the event is no JSON object")
	}
	specversion, contentType, encoded := "", "", ""
	for name, raw := range members {
		if name == "data" {
			continue
		}
		value, ok := attribute(raw)
		if !ok {
			if core[name] {
				return e, undecodable("attribute %s has the wrong JSON type", name)
			}
			continue
		}
		switch name {
		case "specversion":
			specversion = value
		case "datacontenttype":
			contentType = value
		case "data_base64":
			encoded = value
		default:
			if err := e.set(name, value); err != nil {
				return e, undecodable("%v", err)
			}
		}
	}
	if bad := e.complete(specversion); bad != nil {
		return e, bad
	}
	e.Data = members["data"]
	if e.Data == nil && encoded != "" {
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			e.DataProblem = "data_base64 is no base64"
			return e, nil
		}
		e.Data = raw
	}
	e.checkData(contentType)
	return e, nil
}

// core are the attributes whose type the specification fixes.
var core = map[string]bool{
	"id": true, "source": true, "type": true, "specversion": true, "time": true, "subject": true,
	"datacontenttype": true, "data_base64": true, "expirytime": true, "traceparent": true, "tracestate": true, "correlationid": true,
}

// attribute reads an attribute's value; null is as good as absent.
func attribute(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if bytes.Equal(raw, []byte("null")) {
		return "", true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// checkData notes data that is not JSON, for the answer.
func (e *Envelope) checkData(contentType string) {
	switch {
	case len(e.Data) == 0:
		e.Data = nil
	case !isJSON(contentType):
		e.DataProblem = "its content type is not JSON"
	case !json.Valid(e.Data):
		e.DataProblem = "it is no JSON"
	case bytes.Equal(bytes.TrimSpace(e.Data), []byte("null")):
		e.Data = nil
	}
}

// isJSON reports whether a media type is JSON; none stands for JSON.
func isJSON(contentType string) bool {
	media := mediaType(contentType)
	return media == "" || media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// mediaType is a content type without parameters, in lower case.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}
