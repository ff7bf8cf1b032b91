package events

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/seed-7b870224/sluice/internal/jsonobject"
)

// Message is an event ready to be published.
type Message struct {
	Subject string
	// ID makes the publish idempotent; it is the event's id.
	ID     string
	Header map[string][]string
	Data   []byte
}

// ResultID is the id of a token's result with a status.
func ResultID(key, status string) string { return key + "." + status }

// NewResult is a result of this command with everything that needs no outcome.
func (c Command) NewResult(status string) Result {
	return Result{
		ClientToken: c.Token, Vendor: c.Vendor, Account: c.Account, Region: c.Region, Operation: c.Operation,
		InstanceID: c.InstanceID, Priority: c.Priority, Status: status, Final: status != Accepted, DryRun: c.DryRun,
		Command: CommandRef{ID: c.Event.ID, Source: c.Event.Source, Type: c.Event.Type, Time: At(c.Event.Time)},
		Times:   Times{Received: At(c.Received)},
	}
}

// Source is the result event's source.
func (r Result) Source() string {
	return "/sluice/" + part(r.Vendor) + "/" + part(r.Account) + "/" + part(r.Region)
}

// usualSize has room for most result events.
const usualSize = 1280

// Encode makes the result event that answers c, in structured mode. A personal
// answer (to a duplicate, a refusal, a dry run) is this command event's alone and
// has its key in the id; any other is the token's.
func Encode(s Subjects, c Command, r Result, personal bool, now time.Time) (Message, error) {
	id := ResultID(c.Key, r.Status)
	if personal {
		id += "." + EventKey(c.Event.Source, c.Event.ID)
	}
	data, err := resultEvent(id, c, r, now)
	if err != nil {
		return Message{}, fmt.Errorf("encoding result %s: %w", id, err)
	}
	return Message{Subject: s.Result(r), ID: id, Data: data, Header: map[string][]string{
		"Content-Type":        {structuredType},
		"Nats-Msg-Id":         {id},
		"Sluice-Token-Key":    {c.Key},
		"Sluice-Causation-Id": {escape(c.Event.ID)},
	}}, nil
}

// resultEvent is the event in the JSON format. It is written member by member, since
// every command has one; a test compares it with what the SDK makes of the same.
func resultEvent(id string, c Command, r Result, now time.Time) ([]byte, error) {
	o := jsonobject.Begin(make([]byte, 0, usualSize))
	o.Text("specversion", event.CloudEventsVersionV1)
	o.Text("id", id)
	o.Text("source", r.Source())
	o.Text("type", ResultType(r.Status))
	o.Word("subject", subjectOf(r.InstanceID))
	o.Text("datacontenttype", event.ApplicationJSON)
	o.Moment("time", now.UTC().Truncate(time.Millisecond), time.RFC3339Nano)
	if r.Plan == nil {
		o.Append("data", r.append)
	} else {
		data, err := jsonobject.Marshal(r)
		if err != nil {
			return nil, err
		}
		o.Raw("data", data)
	}
	o.Word("causationid", c.Event.ID)
	o.Word("correlationid", cmp.Or(c.Trace.Correlation, c.Event.ID))
	o.Word("traceparent", c.Trace.Parent)
	o.Word("tracestate", c.Trace.State)
	return o.End(), nil
}

// subjectOf is the instance, unless its id could not stand in an attribute unchanged
// (the SDK trims it): an answer repeats whatever was stated.
func subjectOf(instance string) string {
	if printable(instance) && strings.TrimSpace(instance) == instance {
		return instance
	}
	return ""
}

// setData does what the event's own SetData does, but for <, > and &: escaped they take
// six bytes each, and an answer must not outgrow the broker's limit because of what it
// repeats.
func setData(e *event.Event, v any) error {
	data, err := jsonobject.Marshal(v)
	e.SetDataContentType(event.ApplicationJSON)
	e.DataEncoded = data
	return err
}
