package events

import (
	"fmt"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Draft is a command that is about to be published.
type Draft struct {
	Operation, Vendor, Account, Region, InstanceID string
	Priority, Token, BackupID                      string
	TimePoint                                      time.Time
	Password                                       *Password
	DryRun                                         bool
	// Expires is zero for the consumer's default.
	Expires time.Time
	// Source and ID identify the event; both are required.
	Source, ID               string
	Correlation, Traceparent string
}

// Event makes the command event in structured mode and checks it as the consumer
// will, so that a mistake shows before it is sent. The error is a *Refusal if the
// consumer would refuse it.
func (d Draft) Event(now time.Time) (Command, []byte, error) {
	raw, err := d.encode(now)
	if err != nil {
		return Command{}, nil, fmt.Errorf("making the command: %w", err)
	}
	env, err := Open(nil, raw)
	if err != nil {
		return Command{}, nil, fmt.Errorf("making the command: %w", err)
	}
	c, why := Parse(env, now)
	if why != nil {
		return c, nil, why
	}
	for _, p := range []struct{ pointer, value string }{
		{"/vendor", c.Vendor}, {"/account", c.Account}, {"/region", c.Region},
	} {
		if part(p.value) == "_" {
			return c, nil, refuse(ReasonInvalidData, "the command's subject is made of it",
				"%s must be 1 to 64 letters, digits, '-' and '_'", p.pointer)
		}
	}
	return c, raw, nil
}

func (d Draft) encode(now time.Time) ([]byte, error) {
	e := event.New()
	e.SetID(d.ID)
	e.SetSource(d.Source)
	e.SetType(CommandType(d.Operation))
	e.SetTime(now.UTC().Truncate(time.Millisecond))
	if subject := subjectOf(d.InstanceID); subject != "" {
		e.SetSubject(subject)
	}
	if d.Correlation != "" {
		e.SetExtension("correlationid", d.Correlation)
	}
	if d.Traceparent != "" {
		e.SetExtension("traceparent", d.Traceparent)
	}
	if !d.Expires.IsZero() {
		e.SetExtension("expirytime", d.Expires.UTC().Format(time.RFC3339Nano))
	}
	if err := setData(&e, d.data()); err != nil {
		return nil, err
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	return e.MarshalJSON()
}

// data is the draft's wire form, fields that are not set left out.
func (d Draft) data() map[string]any {
	data := map[string]any{}
	put := func(into map[string]any, name, value string) {
		if value != "" {
			into[name] = value
		}
	}
	put(data, "clientToken", d.Token)
	put(data, "vendor", d.Vendor)
	put(data, "account", d.Account)
	put(data, "region", d.Region)
	put(data, "instanceId", d.InstanceID)
	put(data, "priority", d.Priority)
	if d.DryRun {
		data["dryRun"] = true
	}
	parameters := map[string]any{}
	put(parameters, "backupId", d.BackupID)
	if !d.TimePoint.IsZero() {
		parameters["timePoint"] = d.TimePoint.UTC().Format(time.RFC3339Nano)
	}
	if p := d.Password; p != nil {
		switch {
		case p.SecretRef != "":
			parameters["password"] = map[string]string{"secretRef": p.SecretRef}
		case p.Sealed != "":
			parameters["password"] = map[string]string{"sealed": p.Sealed}
		default:
			// The one place where a password becomes text: the publisher chose to
			// send it plain.
			parameters["password"] = p.Plain.Reveal()
		}
	}
	if len(parameters) > 0 {
		data["parameters"] = parameters
	}
	return data
}
