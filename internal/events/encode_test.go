package events

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// asked is a command whose every string is awkward.
func asked() Command {
	c, _ := Parse(Envelope{
		ID: "e 1€", Source: "/a", Type: CommandType(Restart), Time: received.Add(-time.Second), SpecVersion: "1.0",
		Trace: Trace{Parent: "00-tp-01", State: "a=<b>"},
		Data:  []byte(`{"clientToken":"t","vendor":"huawei","account":"a&b","region":"r1","instanceId":"redis-1","priority":"urgent"}`),
	}, received)
	return c
}

// validResult checks a message against the result schema, as its readers may.
func validResult(t *testing.T, m Message) map[string]any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(m.Data))
	if err != nil {
		t.Fatalf("the result is no JSON: %v", err)
	}
	event := doc.(map[string]any)
	if err := compiled()[resultSchema].Validate(event["data"]); err != nil {
		t.Errorf("the result's data: %v\n%s", err, m.Data)
	}
	return event
}

func TestEncode(t *testing.T) {
	t.Parallel()
	c := asked()
	r := c.NewResult(Failed)
	r.Attempts, r.Times.Finished = 2, At(received.Add(time.Second))
	r.Reason = &Reason{Code: ReasonVendorRefused, Message: "no <such> thing"}
	m, err := Encode(Subjects{Prefix: "p"}, c, r, false, received.Add(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	key := TokenKey("t")
	if m.Subject != "p.results.huawei._.r1.restart.failed" || m.ID != key+".failed" {
		t.Errorf("subject %s, id %s", m.Subject, m.ID)
	}
	if want := (map[string][]string{
		"Content-Type": {"application/cloudevents+json"}, "Nats-Msg-Id": {m.ID}, "Sluice-Token-Key": {key}, "Sluice-Causation-Id": {"e%201%E2%82%AC"},
	}); !reflect.DeepEqual(m.Header, want) {
		t.Errorf("header %v, want %v", m.Header, want)
	}
	event := validResult(t, m)
	delete(event, "data")
	if want := (map[string]any{
		"specversion": "1.0", "id": m.ID, "source": "/sluice/huawei/_/r1", "type": "dev.sluice.result.failed.v1", "subject": "redis-1",
		"time": "2026-03-04T05:06:09Z", "datacontenttype": "application/json", "causationid": "e 1€", "correlationid": "e 1€",
		"traceparent": "00-tp-01", "tracestate": "a=<b>",
	}); !reflect.DeepEqual(event, want) {
		t.Errorf("attributes %v\nwant       %v", event, want)
	}
	const data = `"data":{"clientToken":"t","vendor":"huawei","account":"a&b","region":"r1","operation":"restart","instanceId":"redis-1","priority":"urgent",` +
		`"status":"failed","final":true,"duplicate":false,"dryRun":false,"attempts":2,` +
		`"command":{"id":"e 1€","source":"/a","type":"dev.sluice.command.restart.v1","time":"2026-03-04T05:06:06.000Z"},` +
		`"reason":{"code":"vendor_refused","message":"no <such> thing"},` +
		`"times":{"received":"2026-03-04T05:06:07.000Z","finished":"2026-03-04T05:06:08.000Z"}}`
	if !strings.Contains(string(m.Data), data) {
		t.Errorf("data in %s\nwant %s", m.Data, data)
	}
}

func TestEncodePersonal(t *testing.T) {
	t.Parallel()
	c := asked()
	c.Trace.Correlation = "corr"
	r := c.NewResult(Accepted)
	r.Duplicate, r.Times.Accepted = true, At(received)
	m, err := Encode(Subjects{Prefix: "p"}, c, r, true, received)
	if err != nil {
		t.Fatal(err)
	}
	if want := TokenKey("t") + ".accepted." + EventKey("/a", "e 1€"); m.ID != want || m.Header["Nats-Msg-Id"][0] != want {
		t.Errorf("id %s, want %s", m.ID, want)
	}
	event := validResult(t, m)
	if event["correlationid"] != "corr" || event["id"] != m.ID {
		t.Errorf("event %v", event)
	}
	if final := event["data"].(map[string]any)["final"]; final != false {
		t.Errorf("final %v for accepted", final)
	}
}

// What is refused is answered all the same, whatever it holds.
func TestEncodeAnswersRefusals(t *testing.T) {
	t.Parallel()
	for _, data := range []string{``, `{`, `{"instanceId":" r\n\u0000 "}`, `{"vendor":"` + strings.Repeat("<", 60000) + `"}`, `{"account":"\ud800"}`} {
		env := Envelope{ID: strings.Repeat("€", 1000), Source: "%zz \"", Type: "x", SpecVersion: "1.0", Data: []byte(data)}
		c, why := Parse(env, received)
		if why == nil {
			t.Fatalf("accepted %.40s", data)
		}
		r := c.NewResult(why.Status)
		r.Reason, r.Times.Finished = &Reason{Code: why.Code, Message: why.Message, Hint: why.Hint}, At(received)
		m, err := Encode(Subjects{Prefix: "p"}, c, r, true, received)
		if err != nil {
			t.Errorf("%.40s: %v", data, err)
			continue
		}
		validResult(t, m)
		if len(m.Data) > 100_000 {
			t.Errorf("%.40s: the answer has %d bytes", data, len(m.Data))
		}
		if _, err := DecodeResult(m.Data); err != nil {
			t.Errorf("%.40s: %v", data, err)
		}
	}
}

func TestDecodeResult(t *testing.T) {
	t.Parallel()
	c := asked()
	r := c.NewResult(Succeeded)
	r.Attempts, r.Times.Finished = 1, At(received)
	r.VendorResponse = &VendorResponse{HTTPStatus: 200, RequestID: "q"}
	m, err := Encode(Subjects{Prefix: "p"}, c, r, false, received)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeResult(m.Data)
	if err != nil {
		t.Fatal(err)
	}
	want := ResultEvent{
		ID: m.ID, Source: "/sluice/huawei/_/r1", Type: ResultType(Succeeded), Subject: "redis-1", Time: received,
		CausationID: "e 1€", CorrelationID: "e 1€", Trace: Trace{"00-tp-01", "a=<b>", "e 1€"}, Data: r,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("DecodeResult = %+v\nwant           %+v", got, want)
	}
	for name, data := range map[string]string{
		"no JSON":          `x`,
		"no CloudEvent":    `{"id":"1"}`,
		"a command":        ordinary,
		"no data":          `{"specversion":"1.0","id":"1","source":"/s","type":"dev.sluice.result.failed.v1"}`,
		"another status":   `{"specversion":"1.0","id":"1","source":"/s","type":"dev.sluice.result.failed.v1","data":{"status":"succeeded"}}`,
		"data of no shape": `{"specversion":"1.0","id":"1","source":"/s","type":"dev.sluice.result.failed.v1","data":{"status":5}}`,
	} {
		if got, err := DecodeResult([]byte(data)); err == nil || !strings.HasPrefix(err.Error(), "reading ") {
			t.Errorf("%s: DecodeResult = %+v, %v", name, got, err)
		}
	}
}

// The schema's rules on results are rules: each of these breaks one.
func TestResultSchemaRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Result){
		"final accepted":            func(r *Result) { r.Status, r.Times.Accepted = Accepted, At(received) },
		"accepted without time":     func(r *Result) { r.Status, r.Final = Accepted, false },
		"unfinished":                func(r *Result) { r.Times.Finished = nil },
		"succeeded but not final":   func(r *Result) { r.Final = false },
		"failed without a reason":   func(r *Result) { r.Status = Failed },
		"unknown status":            func(r *Result) { r.Status = "done" },
		"unknown reason":            func(r *Result) { r.Reason = &Reason{Code: "because"} },
		"without a time of receipt": func(r *Result) { r.Times.Received = nil },
	} {
		r := asked().NewResult(Succeeded)
		r.Times.Finished = At(received)
		change(&r)
		data, _ := json.Marshal(r)
		doc, _ := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if compiled()[resultSchema].Validate(doc) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// The result schema is closed and written by hand; the type is what is sent.
func TestResultSchemaKnowsTheType(t *testing.T) {
	t.Parallel()
	var compare func(at string, typ reflect.Type, s *jsonschema.Schema)
	compare = func(at string, typ reflect.Type, s *jsonschema.Schema) {
		var have, want []string
		for name := range s.Properties {
			have = append(have, name)
		}
		for i := range typ.NumField() {
			field := typ.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			want = append(want, name)
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if member := s.Properties[name]; member != nil && inner.Kind() == reflect.Struct && inner != reflect.TypeFor[Time]() {
				compare(at+"/"+name, inner, member)
			}
		}
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Errorf("%s: the schema has %v, the type %v", at, have, want)
		}
	}
	compare("", reflect.TypeFor[Result](), compiled()[resultSchema])
}
