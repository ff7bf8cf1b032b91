package events

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/jsonobject"
)

// AppendJSON appends what encoding/json writes of a command, which goes into the ledger
// with every one.
func (c Command) AppendJSON(b []byte) []byte {
	o := jsonobject.Begin(b)
	o.Append("event", c.Event.append)
	o.Text("token", c.Token)
	o.Text("key", c.Key)
	o.Flag("derivedToken", c.DerivedToken)
	o.Text("vendor", c.Vendor)
	o.Text("account", c.Account)
	o.Text("region", c.Region)
	o.Text("operation", c.Operation)
	o.Text("instanceId", c.InstanceID)
	o.Text("priority", c.Priority)
	o.Flag("dryRun", c.DryRun)
	o.Time("expiryTime", c.ExpiryTime)
	o.Moment("received", c.Received, time.RFC3339Nano)
	if c.Trace != (Trace{}) {
		o.Append("trace", c.Trace.append)
	}
	o.Word("publisher", c.Publisher)
	return o.End()
}

func (r Ref) append(b []byte) []byte {
	o := jsonobject.Begin(b)
	o.Text("id", r.ID)
	o.Text("source", r.Source)
	o.Text("type", r.Type)
	o.Time("time", r.Time)
	return o.End()
}

func (t Trace) append(b []byte) []byte {
	o := jsonobject.Begin(b)
	o.Word("traceparent", t.Parent)
	o.Word("tracestate", t.State)
	o.Word("correlationid", t.Correlation)
	return o.End()
}

// append writes what encoding/json does of a result that has no plan.
func (r Result) append(b []byte) []byte {
	o := jsonobject.Begin(b)
	o.Text("clientToken", r.ClientToken)
	o.Word("vendor", r.Vendor)
	o.Word("account", r.Account)
	o.Word("region", r.Region)
	o.Word("operation", r.Operation)
	o.Word("instanceId", r.InstanceID)
	o.Word("priority", r.Priority)
	o.Text("status", r.Status)
	o.Bool("final", r.Final)
	o.Bool("duplicate", r.Duplicate)
	o.Bool("dryRun", r.DryRun)
	o.Int("attempts", int64(r.Attempts))
	o.Append("command", r.Command.append)
	if r.Reason != nil {
		o.Append("reason", r.Reason.append)
	}
	if r.VendorResponse != nil {
		o.Append("vendorResponse", r.VendorResponse.AppendJSON)
	}
	o.Append("times", r.Times.append)
	return o.End()
}

func (c CommandRef) append(b []byte) []byte {
	o := jsonobject.Begin(b)
	o.Text("id", c.ID)
	o.Text("source", c.Source)
	o.Text("type", c.Type)
	at(o, "time", c.Time)
	return o.End()
}

func (r Reason) append(b []byte) []byte {
	o := jsonobject.Begin(b)
	o.Text("code", r.Code)
	o.Text("message", r.Message)
	o.Word("hint", r.Hint)
	return o.End()
}

// AppendJSON appends what encoding/json writes of the vendor's words, which stand in the
// ledger as results report them.
func (v VendorResponse) AppendJSON(b []byte) []byte {
	o := jsonobject.Begin(b)
	if v.HTTPStatus != 0 {
		o.Int("httpStatus", int64(v.HTTPStatus))
	}
	o.Word("code", v.Code)
	o.Word("message", v.Message)
	o.Word("requestId", v.RequestID)
	o.Word("taskId", v.TaskID)
	return o.End()
}

func (t Times) append(b []byte) []byte {
	o := jsonobject.Begin(b)
	at(o, "received", t.Received)
	at(o, "started", t.Started)
	at(o, "accepted", t.Accepted)
	at(o, "finished", t.Finished)
	return o.End()
}

// at writes a moment that there is.
func at(o *jsonobject.Object, name string, t *Time) {
	if t != nil {
		o.Moment(name, t.UTC(), timeLayout)
	}
}
