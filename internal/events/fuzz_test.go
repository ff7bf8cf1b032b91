package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// FuzzOpen: whatever comes is either a CloudEvent with its identity or a reason
// that can stand in a header.
func FuzzOpen(f *testing.F) {
	files, _ := filepath.Glob("testdata/corpus/*.msg")
	for _, path := range files {
		m := readWire(f, path)
		f.Add(string(wire{m.header, nil}.bytes()), m.data)
	}
	f.Add("", []byte(`{"specversion":"1.0","id":"\ud800","source":"a","type":"b","data_base64":"e30=","x":[{"}":"\\\""}]}`))
	f.Add("ce-specversion: 1.0\nce-id: %\nCE-ID: %25\n", []byte(`{`))
	f.Add("content-type: application/cloudevents-batch+json\n", []byte(`[{},[],"]",1]`))
	f.Fuzz(func(t *testing.T, head string, data []byte) {
		header := headers{}
		for line := range strings.Lines(head) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			header[name] = append(header[name], value)
		}
		opened(t, header, data)
		items, batch := OpenBatch(header, data)
		if batch && len(items) == 0 {
			t.Error("a batch of nothing")
		}
		for _, item := range items {
			if item.Err == nil {
				opened(t, nil, item.Raw)
			}
		}
	})
}

func opened(t *testing.T, header headers, data []byte) {
	e, err := Open(header, data)
	if err != nil {
		var bad *Undecodable
		if !errors.As(err, &bad) || bad.Reason == "" || bad.Detail == "" {
			t.Fatalf("Open: %#v", err)
		}
		if strings.IndexFunc(bad.Detail, func(r rune) bool { return r < 0x20 || r > 0x7E }) >= 0 || len(bad.Detail) > 1000 {
			t.Errorf("detail %q cannot stand in a header", bad.Detail)
		}
		return
	}
	if e.ID == "" || e.Source == "" || e.Type == "" || e.SpecVersion != "1.0" || !printable(e.ID+e.Source+e.Type) {
		t.Errorf("Open = %+v", e)
	}
	agreesWithSDK(t, e, header, data)
	answered(t, e)
}

// agreesWithSDK compares a structured event with the SDK's reading where it has
// one; it rewrites sources and drops what it finds twice.
func agreesWithSDK(t *testing.T, e Envelope, header headers, data []byte) {
	var other event.Event
	if len(header) > 0 || json.Unmarshal(data, &other) != nil || other.Validate() != nil {
		return
	}
	if other.ID() != e.ID || other.Type() != e.Type || other.Subject() != e.Subject || !other.Time().Equal(e.Time) {
		t.Errorf("Open = %+v\nthe SDK reads %+v", e, other)
	}
}

// FuzzParse: whatever the data is, the command can be answered, and what is
// accepted is exactly what the schema accepts.
func FuzzParse(f *testing.F) {
	f.Add(Flush, []byte(corpusData))
	for _, op := range Operations() {
		f.Add(op, []byte(dataOf("volcengine", `,"priority":"bulk","dryRun":true,"clientToken":"a"`)))
		f.Add(op, []byte(dataOf("huawei", `,"parameters":{"backupId":"x"}`)))
		f.Add(op, []byte(dataOf("volcengine", `,"parameters":{"timePoint":"2026-01-02T03:04:05Z"}`)))
		f.Add(op, []byte(dataOf("tencent-crs", `,"parameters":{"password":"x","backupId":"1"}`)))
		f.Add(op, []byte(dataOf("tencent", `,"parameters":{"password":{"sealed":[{}]}},"x":{"a":{"b":{"c":{"d":1}}}}`)))
	}
	long := strings.Repeat("x", 129)
	for _, data := range []string{
		`{"vendor":"v","account":"a","region":"r"}`, `{"vendor":"","account":"a","region":"r","instanceId":"i"}`,
		`{"vendor":"v","account":"a","region":"r","instanceId":"` + long + `"}`, `{"vendor":"v","account":"` + long + `","region":"r","instanceId":"` + long[1:] + `"}`,
		dataOf("v", `,"clientToken":""`), dataOf("v", `,"clientToken":"`+long[1:]+`"`), dataOf("v", `,"clientToken":1`), dataOf("v", `,"priority":"later"`),
		dataOf("v", `,"priority":null`), dataOf("v", `,"dryRun":1`), dataOf("v", `,"parameters":null`), dataOf("v", `,"parameters":{"x":1}`), dataOf("v", `,"x":1`),
		dataOf("tencent-crs", ``), dataOf("tencent-crs", `,"parameters":{}`), dataOf("huawei", `,"parameters":{}`),
	} {
		for _, op := range Operations() {
			f.Add(op, []byte(data))
		}
	}
	f.Add("reboot", []byte(`{"vendor":1,"vendor":"\ud800","":null}`))
	f.Add(Restart, []byte(strings.Repeat(`{"parameters":`, 20)+`1`+strings.Repeat(`}`, 20)))
	f.Fuzz(func(t *testing.T, operation string, data []byte) {
		if len(data) > MaxPayload {
			return
		}
		answered(t, Envelope{ID: "1", Source: "/a", Type: CommandType(operation), SpecVersion: "1.0", Data: data})
	})
}

// answered checks that an event is accepted or refused as the schema says, and
// that its answer is a valid result.
func answered(t *testing.T, e Envelope) {
	c, why := Parse(e, received)
	if c.Event.ID != e.ID || c.Event.Source != e.Source || !validToken(c.Token) || c.Key != TokenKey(c.Token) || !isPriority(c.Priority) {
		t.Errorf("the command cannot be answered: %+v", c)
	}
	if why != nil && (why.Status != Rejected || why.Message == "" || len(why.Message) > 2000) {
		t.Errorf("refusal %+v", why)
	}
	agreesWithSchema(t, e, why)
	r := c.NewResult(Succeeded)
	r.Times.Finished = At(received)
	if why != nil {
		r.Status, r.Reason = why.Status, &Reason{Code: why.Code, Message: why.Message, Hint: why.Hint}
	}
	m, err := Encode(Subjects{Prefix: "p"}, c, r, why != nil, received)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	validResult(t, m)
}

func agreesWithSchema(t *testing.T, e Envelope, why *Refusal) {
	schema := compiled()[commandSchema(strings.TrimSuffix(strings.TrimPrefix(e.Type, commandTypePrefix), typeVersion))]
	if schema == nil || !isJSON(e.DataContentType) || why != nil && (why.Code == ReasonInvalidEvent || strings.HasSuffix(why.Message, "is given twice")) {
		return
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Data))
	valid := err == nil && utf8.Valid(e.Data) && schema.Validate(doc) == nil
	if accepted := why == nil || why.Code != ReasonInvalidData; accepted != valid {
		t.Errorf("Parse: %v, the schema says %v (%v)", why, valid, err)
	}
}
