package events

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
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

// Encode makes the result event that answers c, in structured mode. A personal
// answer (to a duplicate, a refusal, a dry run) is this command event's alone and
// has its key in the id; any other is the token's.
func Encode(s Subjects, c Command, r Result, personal bool, now time.Time) (Message, error) {
	id := ResultID(c.Key, r.Status)
	if personal {
		id += "." + EventKey(c.Event.Source, c.Event.ID)
	}
	e, err := resultEvent(id, c, r, now)
	if err != nil {
		return Message{}, fmt.Errorf("encoding result %s: %w", id, err)
	}
	data, err := e.MarshalJSON()
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

func resultEvent(id string, c Command, r Result, now time.Time) (event.Event, error) {
	e := event.New()
	e.SetID(id)
	e.SetType(ResultType(r.Status))
	e.SetSource(r.Source())
	e.SetTime(now.UTC().Truncate(time.Millisecond))
	setSubject(&e, r.InstanceID)
	for _, x := range []struct{ name, value string }{
		{"causationid", c.Event.ID},
		{"correlationid", cmp.Or(c.Trace.Correlation, c.Event.ID)},
		{"traceparent", c.Trace.Parent},
		{"tracestate", c.Trace.State},
	} {
		if x.value != "" {
			e.SetExtension(x.name, x.value)
		}
	}
	if err := setData(&e, r); err != nil {
		return e, err
	}
	return e, e.Validate()
}

// setSubject names the instance, unless its id could not stand in an attribute
// unchanged (the SDK trims it); an answer repeats whatever was stated.
func setSubject(e *event.Event, instance string) {
	if printable(instance) && strings.TrimSpace(instance) == instance {
		e.SetSubject(instance)
	}
}

// setData does what the event's own SetData does, but for <, > and &: escaped
// they take six bytes each, and an answer must not outgrow the broker's limit
// because of what it repeats.
func setData(e *event.Event, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	e.SetDataContentType(event.ApplicationJSON)
	e.DataEncoded = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return nil
}
