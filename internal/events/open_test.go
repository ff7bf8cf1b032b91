package events

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"
)

type headers = map[string][]string

// binaryHeaders are those of a valid event in binary mode, with changes; an empty
// value takes a header away.
func binaryHeaders(changes ...string) headers {
	h := headers{
		"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/a"}, "ce-type": {"dev.sluice.command.restart.v1"},
		"content-type": {"application/json"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(h, changes[i])
			continue
		}
		h[changes[i]] = []string{changes[i+1]}
	}
	return h
}

const minimal = `"specversion":"1.0","id":"1","source":"/a","type":"dev.sluice.command.restart.v1"`

func TestOpenReadsLiberally(t *testing.T) {
	t.Parallel()
	body := `{"vendor":"huawei"}`
	plain := Envelope{ID: "1", Source: "/a", Type: "dev.sluice.command.restart.v1", SpecVersion: "1.0", Data: []byte(body)}
	at := time.Date(2026, 1, 2, 3, 4, 5, 600000000, time.UTC)
	for _, c := range []struct {
		name   string
		header headers
		data   string
		change func(*Envelope)
	}{
		{"structured", headers{"Content-Type": {"application/cloudevents+json"}}, `{` + minimal + `,"data":` + body + `}`, nil},
		{"structured with a charset", headers{"content-type": {"Application/CloudEvents+JSON; charset=UTF-8"}}, `{` + minimal + `,"data":` + body + `}`, nil},
		{"structured as the NATS binding names it", headers{"Content-Type": {"application/cloudevents"}}, `{` + minimal + `,"data":` + body + `}`, nil},
		{"structured without headers", nil, ` {` + minimal + ` , "data" : ` + body + ` } `, nil},
		{"structured called JSON", headers{"Content-Type": {"application/json"}}, `{"data":` + body + `,` + minimal + `}`, nil},
		{"structured wins over stray headers", headers{"Content-Type": {structuredType}, "ce-specversion": {"9"}}, `{` + minimal + `,"data":` + body + `}`, nil},
		{"data_base64", nil, `{` + minimal + `,"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(body)) + `"}`, nil},
		{"null is absent", nil, `{` + minimal + `,"subject":null,"time":null,"data_base64":null,"data":` + body + `}`, nil},
		{"no data", nil, `{` + minimal + `}`, func(e *Envelope) { e.Data = nil }},
		{"data null", nil, `{` + minimal + `,"data":null}`, func(e *Envelope) { e.Data = nil }},
		{"escapes", nil, `{"\u0073pecversion":"1.0","id":"a\"\u00e9\\","source":"/a","type":"dev.sluice.command.restart.v1","data":` + body + `}`,
			func(e *Envelope) { e.ID = `a"é\` }},
		{"source is not rewritten", nil, `{"specversion":"1.0","id":"1","source":"HTTP://X/%zz?a b","type":"dev.sluice.command.restart.v1","data":` + body + `}`,
			func(e *Envelope) { e.Source = "HTTP://X/%zz?a b" }},
		{"attributes", nil, `{` + minimal + `,"subject":"r-1","time":"2026-01-02t04:04:05.6+01:00","expirytime":"2026-01-02T03:04:05.600Z","datacontenttype":"text/json",
			"traceparent":"tp","tracestate":"ts","correlationid":42,"flag":true,"list":[1,{"a":"]}"}],"data":` + body + `}`,
			func(e *Envelope) {
				e.Subject, e.Time, e.ExpiryTime, e.DataContentType = "r-1", at, at, "text/json"
				e.Trace = Trace{"tp", "ts", "42"}
				e.Extensions = map[string]string{"flag": "true"}
			}},
		{"zero time is none, zero expirytime long ago", nil, `{` + minimal + `,"time":"0001-01-01T00:00:00Z","expirytime":"0001-01-01T00:00:00Z","data":` + body + `}`,
			func(e *Envelope) { e.ExpiryTime = time.Time{}.Add(1) }},
		{"malformed expirytime stays", nil, `{` + minimal + `,"expirytime":5,"data":` + body + `}`,
			func(e *Envelope) { e.Extensions = map[string]string{"expirytime": "5"} }},
		{"binary", binaryHeaders(), body, func(e *Envelope) { e.DataContentType = "application/json" }},
		{"binary in any case", headers{"CE-SpecVersion": {"1.0"}, "Ce-Id": {"1"}, "cE-source": {"/a"}, "CE-TYPE": {"dev.sluice.command.restart.v1"}}, body, nil},
		{"binary without content type", binaryHeaders("content-type", ""), body, nil},
		{"binary with the content type as the NATS binding has it", binaryHeaders("content-type", "", "ce-datacontenttype", "application/json"), body,
			func(e *Envelope) { e.DataContentType = "application/json" }},
		{"binary without data", binaryHeaders("content-type", ""), "", func(e *Envelope) { e.Data = nil }},
		{"percent-encoded", binaryHeaders("content-type", "", "ce-id", "Euro%20%E2%82%AC%20%f0%9F%98%80%25", "ce-subject", "%22r%22"), body,
			func(e *Envelope) { e.ID, e.Subject = "Euro € 😀%", `"r"` }},
		{"not percent-encoded", binaryHeaders("content-type", "", "ce-id", "100% é", "ce-subject", "a b"), body,
			func(e *Envelope) { e.ID, e.Subject = "100% é", "a b" }},
		{"quoted", binaryHeaders("content-type", "", "ce-id", `"a \"b\" %41"`), body, func(e *Envelope) { e.ID = `a "b" A` }},
		{"said twice, the same", headers{"ce-specversion": {"1.0", "1.0"}, "ce-id": {"1"}, "Ce-Id": {"1"}, "ce-source": {"/a"}, "ce-type": {"dev.sluice.command.restart.v1"}}, body, nil},
		{"as large as may be", binaryHeaders("content-type", ""), strings.Repeat(" ", MaxPayload-len(body)) + body,
			func(e *Envelope) { e.Data = []byte(strings.Repeat(" ", MaxPayload-len(body)) + body) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := plain
			if c.change != nil {
				c.change(&want)
			}
			got, err := Open(c.header, []byte(c.data))
			if err != nil {
				t.Fatalf("Open: %v", err)
			}
			if !same(got, want) {
				t.Errorf("Open = %+v\nwant  %+v", got, want)
			}
		})
	}
}

// same compares envelopes; a moment is the same in every zone.
func same(a, b Envelope) bool {
	equal := a.Time.Equal(b.Time) && a.ExpiryTime.Equal(b.ExpiryTime) && string(a.Data) == string(b.Data) && (a.Data == nil) == (b.Data == nil) &&
		maps.Equal(a.Extensions, b.Extensions)
	return equal && a.ID == b.ID && a.Source == b.Source && a.Type == b.Type && a.Subject == b.Subject && a.SpecVersion == b.SpecVersion &&
		a.DataContentType == b.DataContentType && a.Trace == b.Trace
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		header headers
		data   string
		reason string
		detail string
	}{
		{"nothing", nil, "", NotCloudEvent, "not JSON"},
		{"no JSON", nil, "restart it", NotCloudEvent, "not JSON"},
		{"trailing garbage", nil, `{` + minimal + `} x`, NotCloudEvent, "not JSON"},
		{"two events", nil, `{` + minimal + `}{` + minimal + `}`, NotCloudEvent, "not JSON"},
		{"invalid UTF-8", nil, "{" + minimal + ",\"x\":\"\xff\"}", NotCloudEvent, "not JSON"},
		{"too deep", nil, `{` + minimal + `,"data":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, NotCloudEvent, "not JSON"},
		{"array", nil, `[{` + minimal + `}]`, NotCloudEvent, "object"},
		{"string", nil, `"x"`, NotCloudEvent, "object"},
		{"empty object", nil, `{}`, NotCloudEvent, "specversion"},
		{"old specversion", nil, `{"specversion":"0.3","id":"1","source":"/a","type":"t"}`, NotCloudEvent, "specversion"},
		{"number specversion", nil, `{"specversion":1.0,"id":"1","source":"/a","type":"t"}`, NotCloudEvent, "specversion"},
		{"no id", nil, `{"specversion":"1.0","source":"/a","type":"t"}`, NotCloudEvent, "attribute id"},
		{"empty id", nil, `{"specversion":"1.0","id":"","source":"/a","type":"t"}`, NotCloudEvent, "attribute id"},
		{"no source", nil, `{"specversion":"1.0","id":"1","type":"t"}`, NotCloudEvent, "attribute source"},
		{"no type", nil, `{"specversion":"1.0","id":"1","source":"/a"}`, NotCloudEvent, "attribute type"},
		{"number id", nil, `{"specversion":"1.0","id":1,"source":"/a","type":"t"}`, NotCloudEvent, "attribute id"},
		{"object subject", nil, `{` + minimal + `,"subject":{}}`, NotCloudEvent, "attribute subject"},
		{"newline in the source", nil, `{"specversion":"1.0","id":"1","source":"/a\nb","type":"t"}`, NotCloudEvent, "attribute source"},
		{"bad time", nil, `{` + minimal + `,"time":"yesterday"}`, NotCloudEvent, "attribute time"},
		{"time without zone", nil, `{` + minimal + `,"time":"2026-01-02T03:04:05"}`, NotCloudEvent, "attribute time"},
		{"time with a short hour", nil, `{` + minimal + `,"time":"2026-01-02T3:04:05Z"}`, NotCloudEvent, "attribute time"},
		{"time with a comma", nil, `{` + minimal + `,"time":"2026-01-02T03:04:05,6Z"}`, NotCloudEvent, "attribute time"},
		{"time before the first year", nil, `{` + minimal + `,"time":"0000-01-01T00:00:00+01:00"}`, NotCloudEvent, "attribute time"},
		{"time after the last year", nil, `{` + minimal + `,"time":"9999-12-31T23:59:59-01:00"}`, NotCloudEvent, "attribute time"},
		{"attribute twice", nil, `{` + minimal + `,"id":"2"}`, NotCloudEvent, `"id" is given twice`},
		{"attribute twice by another spelling", nil, `{` + minimal + `,"\u0069d":"2"}`, NotCloudEvent, `"id" is given twice`},
		{"attribute twice among many", nil, `{` + minimal + `,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o\r\n":1,"o\r\n":2}`,
			NotCloudEvent, `"o\r\n" is given twice`},
		{"data in both forms", nil, `{` + minimal + `,"data":{},"data_base64":"e30="}`, NotCloudEvent, "both"},
		{"data in both forms, the other way", nil, `{` + minimal + `,"data_base64":"e30=","data":{}}`, NotCloudEvent, "both"},
		{"data_base64 is none", nil, `{` + minimal + `,"data_base64":"{}"}`, NotCloudEvent, "base64"},
		{"data_base64 is no string", nil, `{` + minimal + `,"data_base64":{}}`, NotCloudEvent, "base64"},
		{"another event format", headers{"content-type": {"application/cloudevents+avro"}}, `{` + minimal + `}`, NotCloudEvent, "event format"},
		{"binary without specversion", binaryHeaders("ce-specversion", ""), `{}`, NotCloudEvent, "specversion"},
		{"binary without id", binaryHeaders("ce-id", ""), `{}`, NotCloudEvent, "attribute id"},
		{"binary with another specversion", binaryHeaders("ce-specversion", "1.1"), `{}`, NotCloudEvent, "specversion"},
		{"binary with a bad time", binaryHeaders("ce-time", "now"), `{}`, NotCloudEvent, "attribute time"},
		{"binary with an overlong encoding", binaryHeaders("ce-id", "%C0%A0"), `{}`, NotCloudEvent, "UTF-8"},
		{"binary with an encoded newline", binaryHeaders("ce-id", "a%0Ab"), `{}`, NotCloudEvent, "control"},
		{"binary said twice", headers{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "Ce-Id": {"2"}, "ce-source": {"/a"}, "ce-type": {"t"}}, `{}`, NotCloudEvent, "twice"},
		{"too large", nil, `{` + minimal + `}` + strings.Repeat(" ", MaxPayload), TooLarge, "64 KiB"},
		{"too large by a byte", binaryHeaders(), strings.Repeat(" ", MaxPayload+1), TooLarge, "64 KiB"},
		{"batch", headers{"Content-Type": {"application/cloudevents-batch+json; charset=utf-8"}}, `[]`, BatchOnLane, "intake"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(c.header, []byte(c.data))
			bad, ok := err.(*Undecodable)
			if !ok {
				t.Fatalf("Open: %v, want an Undecodable", err)
			}
			if bad.Reason != c.reason || !strings.Contains(bad.Detail, c.detail) {
				t.Errorf("Open: %v, want %s with %q", bad, c.reason, c.detail)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	const value = "Euro € 😀 \"100%\"\r\n~!"
	const want = `Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22%0D%0A~!`
	if got := escape(value); got != want {
		t.Errorf("escape = %s, want %s", got, want)
	}
	if got := unescape(want); got != value {
		t.Errorf("unescape = %q, want %q", got, value)
	}
}
