package events

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/seed-7b870224/sluice/internal/jsonobject"
)

// FuzzAppend: what is written by hand is what the standard library writes.
func FuzzAppend(f *testing.F) {
	f.Add("a", "b", int64(0), 0, uint8(0))
	f.Add(`"\`+"\u2028\x00\xff<é>&", "a\nb", int64(1764000000123456789), 3, uint8(0xff))
	f.Add("", "x", int64(-1), -1, uint8(0x55))
	f.Fuzz(func(t *testing.T, a, b string, at int64, n int, set uint8) {
		is := func(bit int) bool { return set>>bit&1 == 1 }
		when := time.Unix(0, at).UTC()
		c := Command{
			Event: Ref{ID: a, Source: b, Type: a, Time: when}, Token: a, Key: b, DerivedToken: is(0), Vendor: a, Account: b, Region: a, Operation: b,
			InstanceID: a, Priority: b, DryRun: is(1), Received: when, Publisher: a,
		}
		r := Result{
			ClientToken: a, Vendor: b, Account: a, Region: b, Operation: a, InstanceID: b, Priority: a, Status: b, Final: is(0), Duplicate: is(1),
			DryRun: is(2), Attempts: n, Command: CommandRef{ID: a, Source: b, Type: a}, Times: Times{Received: At(when)},
		}
		if is(3) {
			c.Event.Time, c.ExpiryTime, c.Trace = time.Time{}, when, Trace{Parent: a, State: b, Correlation: a}
			r.Command.Time, r.Times = At(when), Times{At(when), At(when), At(when), At(when)}
		}
		if is(4) {
			r.Reason, r.VendorResponse = &Reason{a, b, a}, &VendorResponse{HTTPStatus: n, Code: a, Message: b, RequestID: a, TaskID: b}
		}
		if is(5) {
			c.Trace.State, c.Trace.Correlation = "", b
		}
		asTheLibrary(t, c.AppendJSON([]byte("x")), c)
		asTheLibrary(t, r.append([]byte("x")), r)
		asTheSDK(t, c, r, when)
	})
}

// asTheSDK compares a result event with what the SDK makes of the same.
func asTheSDK(t *testing.T, c Command, r Result, now time.Time) {
	t.Helper()
	c.Key, r.Status = TokenKey(c.Token), Succeeded // neither is a stranger's
	e := event.New()
	e.SetID(ResultID(c.Key, r.Status))
	e.SetType(ResultType(r.Status))
	e.SetSource(r.Source())
	e.SetTime(now.UTC().Truncate(time.Millisecond))
	if subject := subjectOf(r.InstanceID); subject != "" {
		e.SetSubject(subject)
	}
	for name, value := range map[string]string{
		"causationid": c.Event.ID, "correlationid": cmp.Or(c.Trace.Correlation, c.Event.ID), "traceparent": c.Trace.Parent, "tracestate": c.Trace.State,
	} {
		if value != "" {
			e.SetExtension(name, value)
		}
	}
	data, err := jsonobject.Marshal(r)
	if err != nil {
		t.Skip("no time of RFC 3339")
	}
	e.SetDataContentType(event.ApplicationJSON)
	e.DataEncoded = data
	want, err := e.MarshalJSON()
	if err != nil || e.Validate() != nil {
		t.Skip("the SDK does not take it")
	}
	m, err := Encode(Subjects{Prefix: "p"}, c, r, false, now)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	var a, b any
	if json.Unmarshal(m.Data, &a) != nil || json.Unmarshal(want, &b) != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("encoded as\n%s\nby the SDK\n%s", m.Data, want)
	}
}

func asTheLibrary(t *testing.T, got []byte, v any) {
	t.Helper()
	want := bytes.NewBufferString("x")
	enc := json.NewEncoder(want)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Skip("no time of RFC 3339")
	}
	if string(got)+"\n" != want.String() {
		t.Errorf("written as\n%s\nwant\n%s", got, want)
	}
}
