package intake

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-7b870224/sluice/internal/events"
)

const (
	lanePrefix  = "sluice.commands.volcengine.prod.cn-beijing."
	restartData = `{"vendor":"volcengine","account":"prod","region":"cn-beijing","instanceId":"redis-1","clientToken":"t-1"}`
)

// structured is an event in structured mode.
func structured(id, operation, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/mine","type":%q,"datacontenttype":"application/json","data":%s}`, id, events.CommandType(operation), data)
}

func TestThreeModes(t *testing.T) {
	t.Parallel()
	noToken := `{"vendor":"volcengine","account":"prod","region":"cn-beijing","instanceId":"redis-2","priority":"bulk"}`
	for name, c := range map[string]struct {
		body    string
		headers []string
		want    []stored
	}{
		"structured": {structured("a", "restart", restartData), []string{"Content-Type", "application/cloudevents+json; charset=utf-8"}, []stored{{"a", "/intake/batch", "t-1"}}},
		"no type":    {structured("a", "restart", restartData), []string{"Content-Type", ""}, []stored{{"a", "/intake/batch", "t-1"}}},
		"binary": {restartData, []string{"Content-Type", "application/json", "ce-specversion", "1.0", "ce-id", "a%20b", "ce-source", "/mine", "ce-type", "dev.sluice.command.restart.v1"},
			[]stored{{"a b", "/intake/batch", "t-1"}}},
		"batch": {"[" + structured("a", "restart", restartData) + "," + structured("b", "restart", noToken) + "]", []string{"Content-Type", batchType},
			[]stored{{"a", "/intake/batch", "t-1"}, {"b", "/intake/batch", events.DerivedToken("/intake/batch", "b")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			a := r.post("/v1/commands", c.body, c.headers...)
			if a.code != http.StatusAccepted || fmt.Sprint(a.stored) != fmt.Sprint(c.want) {
				t.Fatalf("%d %s, want %v", a.code, a.body, c.want)
			}
			if n := r.total(); n != uint64(len(c.want)) {
				t.Errorf("%d commands stored", n)
			}
			_, env := r.first(lanePrefix + "restart.normal")
			if env.Source != "/intake/batch" || env.Extensions["sluicepublisher"] != "batch" || env.ID != c.want[0].ID {
				t.Errorf("stored as %+v", env)
			}
			if got := r.counted("sluice_intake_events_total", "accepted", "batch"); got != float64(len(c.want)) {
				t.Errorf("%v events counted", got)
			}
			if got := r.counted("sluice_intake_requests_total", "202", "commands"); got != 1 {
				t.Errorf("%v requests counted", got)
			}
		})
	}
}

// A retry stores nothing twice, whatever trace its request has.
func TestRetryIsStoredOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for i := range 3 {
		parent := fmt.Sprintf("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333%d-01", i)
		if a := r.post("/v1/commands", structured("a", "restart", restartData), "Content-Type", structuredType, "traceparent", parent); a.code != http.StatusAccepted {
			t.Fatalf("%d %s", a.code, a.body)
		}
	}
	if n := r.total(); n != 1 {
		t.Errorf("stored %d times", n)
	}
	other := strings.Replace(restartData, "redis-1", "redis-9", 1)
	r.post("/v1/commands", structured("a", "restart", other), "Content-Type", structuredType)
	if n := r.total(); n != 2 {
		t.Error("other content under the same id was swallowed")
	}
}

func TestTraceOfTheRequest(t *testing.T) {
	t.Parallel()
	const parent, own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-11111111111111111111111111111111-2222222222222222-00"
	with := strings.Replace(structured("a", "restart", restartData), `"id"`, `"traceparent":"`+own+`","id"`, 1)
	for name, c := range map[string]struct{ body, header, want string }{
		"taken over":           {structured("a", "restart", restartData), parent, parent},
		"the event's own wins": {with, parent, own},
		"nonsense is dropped":  {structured("a", "restart", restartData), "hello", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.post("/v1/commands", c.body, "Content-Type", structuredType, "traceparent", c.header)
			if _, env := r.first(lanePrefix + "restart.normal"); env.Trace.Parent != c.want {
				t.Errorf("traceparent %q", env.Trace.Parent)
			}
		})
	}
}

// Everything that is refused, in the contract's order, and that then nothing of the
// batch is stored.
func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	data := func(change string) string {
		from, to, _ := strings.Cut(change, "=>")
		return strings.Replace(restartData, from, to, 1)
	}
	alerts := []string{"Authorization", "Bearer " + alertsToken}
	for name, c := range map[string]struct {
		event   string
		headers []string
		code    int
		reason  string
		pointer any
	}{
		"no CloudEvent":       {`{"hello":1}`, nil, 400, "invalid_event", nil},
		"no id":               {strings.Replace(structured("x", "restart", restartData), `"id":"x",`, "", 1), nil, 400, "invalid_event", nil},
		"other type":          {strings.Replace(structured("x", "restart", restartData), "dev.sluice.command", "com.example", 1), nil, 400, "invalid_event", nil},
		"unknown operation":   {structured("x", "explode", restartData), nil, 400, "invalid_event", nil},
		"field missing":       {structured("x", "restart", data(`"instanceId":"redis-1",=>`)), nil, 400, "invalid_data", "/instanceId"},
		"unknown field":       {structured("x", "restart", data(`{"vendor"=>{"no/such":1,"vendor"`)), nil, 400, "invalid_data", "/no~1such"},
		"unknown priority":    {structured("x", "restart", data(`{=>{"priority":"now",`)), nil, 400, "invalid_data", "/priority"},
		"token over 127":      {structured("x", "restart", data(`t-1=>`+strings.Repeat("x", 128))), nil, 400, "invalid_data", "/clientToken"},
		"subject mismatch":    {strings.Replace(structured("x", "restart", restartData), `"id"`, `"subject":"redis-2","id"`, 1), nil, 400, "subject_mismatch", "/instanceId"},
		"unknown vendor":      {structured("x", "restart", data("volcengine=>huawei")), nil, 400, "unknown_vendor", "/vendor"},
		"unknown account":     {structured("x", "restart", data("prod=>nobody")), nil, 400, "unknown_account", "/account"},
		"unknown region":      {structured("x", "restart", data("cn-beijing=>cn-nowhere")), nil, 400, "unknown_region", "/region"},
		"unsupported":         {structured("x", "restart", `{"vendor":"tencent","account":"tc","region":"ap-guangzhou","instanceId":"crs-1"}`), nil, 400, "operation_unsupported", nil},
		"no point in time":    {structured("x", "restore", `{"vendor":"tencent","account":"tc","region":"ap-guangzhou","instanceId":"crs-1","parameters":{"timePoint":"2026-01-02T03:04:05Z"}}`), nil, 400, "operation_unsupported", "/parameters/timePoint"},
		"not allowed":         {structured("x", "flush", restartData), nil, 400, "operation_not_allowed", nil},
		"plaintext secret":    {structured("x", "flush", `{"vendor":"tencent","account":"tc","region":"ap-guangzhou","instanceId":"crs-1","parameters":{"password":"Secret-123"}}`), nil, 400, "plaintext_secret", "/parameters/password"},
		"expired":             {strings.Replace(structured("x", "restart", restartData), `"id"`, `"expirytime":"2020-01-01T00:00:00Z","id"`, 1), nil, 400, "expired", nil},
		"not its operation":   {structured("x", "flush", restartData), alerts, 403, "operation_not_allowed", nil},
		"not its account":     {structured("x", "restart", data("prod=>other")), alerts, 403, "account_not_allowed", "/account"},
		"accounts stay quiet": {structured("x", "restart", data("prod=>nobody")), alerts, 403, "account_not_allowed", "/account"},
		"bad before not its":  {structured("x", "flush", data(`"vendor":"volcengine",=>`)), alerts, 400, "invalid_data", "/vendor"},
		"over 64 KiB":         {structured("x", "restart", data(`{=>{"pad":"`+strings.Repeat("x", 64<<10)+`",`)), nil, 413, "too_large", nil},
	} {
		t.Run(name, func(t *testing.T) {
			good := structured("good", "restart", restartData)
			single := r.post("/v1/commands", c.event, append([]string{"Content-Type", structuredType}, c.headers...)...)
			batch := r.post("/v1/commands", "["+good+","+c.event+"]", append([]string{"Content-Type", batchType}, c.headers...)...)
			for index, a := range []answer{single, batch} {
				if a.code != c.code || a.prob["code"] != c.reason || a.prob["pointer"] != c.pointer || a.prob["index"] != float64(index) ||
					a.prob["status"] != float64(c.code) || a.prob["title"] == "" || a.prob["detail"] == "" {
					t.Errorf("member %d: %d %s, want %d %s %v", index, a.code, a.body, c.code, c.reason, c.pointer)
				}
				if strings.Contains(a.body, "Secret-123") {
					t.Error("a secret shows in the answer")
				}
			}
		})
	}
	if n := r.total(); n != 0 {
		t.Errorf("%d commands of refused requests are stored", n)
	}
	if r.counted("sluice_intake_events_total", "withheld", "batch") == 0 || r.counted("sluice_intake_events_total", "forbidden", "alerts") == 0 {
		t.Error("refused events are not counted")
	}
}

// What carries a batch's member into a lane cannot be turned into another event by
// the content type of its data.
func TestInnerEventIsNotOpened(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	event := strings.Replace(structured("a", "restart", restartData), `"datacontenttype":"application/json"`, `"datacontenttype":"application/cloudevents+json","sluicepublisher":"alerts"`, 1)
	if a := r.post("/v1/commands", event, "Content-Type", structuredType); a.code != http.StatusAccepted {
		t.Fatal(a.body)
	}
	if _, env := r.first(lanePrefix + "restart.normal"); env.Source != "/intake/batch" || env.Extensions["sluicepublisher"] != "batch" {
		t.Errorf("stored as %+v", env)
	}
}

// Headers that would be something else in structured mode are refused, not stored.
func TestAttributesThatDoNotSurvive(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, name := range []string{"ce-data", "ce-data_base64"} {
		a := r.post("/v1/commands", restartData, "Content-Type", "application/json", "ce-specversion", "1.0", "ce-id", "a", "ce-source", "/mine",
			"ce-type", "dev.sluice.command.restart.v1", name, "x")
		if a.code != http.StatusBadRequest || a.prob["code"] != "invalid_event" || r.total() != 0 {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := structured("a", "restart", restartData)
	ce := []string{"ce-specversion", "1.0", "ce-id", "a", "ce-source", "/mine", "ce-type", "dev.sluice.command.restart.v1"}
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		code               int
	}{
		"GET":                     {"GET", "/v1/commands", "", nil, 405},
		"PUT an alert":            {"PUT", "/v1/alertmanager/redis-hung", "", nil, 405},
		"unknown path":            {"POST", "/v2/commands", good, []string{"Content-Type", structuredType}, 404},
		"text":                    {"POST", "/v1/commands", restartData, append([]string{"Content-Type", "text/plain"}, ce...), 415},
		"another event format":    {"POST", "/v1/commands", good, []string{"Content-Type", "application/cloudevents+avro"}, 415},
		"broken content type":     {"POST", "/v1/commands", good, []string{"Content-Type", "application/"}, 415},
		"compressed":              {"POST", "/v1/commands", good, []string{"Content-Type", structuredType, "Content-Encoding", "gzip"}, 415},
		"JSON without attributes": {"POST", "/v1/commands", good, []string{"Content-Type", "application/json"}, 400},
		"not JSON":                {"POST", "/v1/commands", "{", []string{"Content-Type", structuredType}, 400},
		"batch that is none":      {"POST", "/v1/commands", good, []string{"Content-Type", batchType}, 400},
		"empty batch":             {"POST", "/v1/commands", "[]", []string{"Content-Type", batchType}, 400},
		"over 1 MiB":              {"POST", "/v1/commands", "[" + strings.Repeat(" ", MaxBody) + "]", []string{"Content-Type", batchType}, 413},
		"no token":                {"POST", "/v1/commands", good, []string{"Content-Type", structuredType, "Authorization", ""}, 401},
		"wrong token":             {"POST", "/v1/commands", good, []string{"Content-Type", structuredType, "Authorization", "Bearer " + batchToken + "x"}, 401},
		"another scheme":          {"POST", "/v1/commands", good, []string{"Content-Type", structuredType, "Authorization", "Basic " + batchToken}, 401},
		"nothing for a token":     {"POST", "/v1/commands", good, []string{"Content-Type", structuredType, "Authorization", "Bearer "}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.do(c.method, c.path, c.body, c.headers...)
			if a.code != c.code || a.prob["status"] != float64(c.code) {
				t.Errorf("%d %s, want %d", a.code, a.body, c.code)
			}
			if c.code == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("WWW-Authenticate: %q", a.header.Get("WWW-Authenticate"))
			}
			if c.code == 405 && a.header.Get("Allow") != "POST" {
				t.Errorf("Allow: %q", a.header.Get("Allow"))
			}
		})
	}
	if n := r.total(); n != 0 {
		t.Errorf("%d commands are stored", n)
	}
	if strings.Contains(r.log.String(), batchToken) {
		t.Error("a token shows in the log")
	}
}

// A large batch goes through whole: every member is stored before the answer.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var members []string
	for i := range 1000 {
		members = append(members, structured(fmt.Sprintf("e%d", i), "restart", fmt.Sprintf(`{"vendor":"volcengine","account":"prod","region":"cn-beijing","instanceId":"redis-%d","priority":"bulk"}`, i)))
	}
	a := r.post("/v1/commands", "["+strings.Join(members, ",")+"]", "Content-Type", batchType)
	if a.code != http.StatusAccepted || len(a.stored) != 1000 || a.stored[999].ID != "e999" {
		t.Fatalf("%d, %d stored", a.code, len(a.stored))
	}
	if n := r.waiting()[lanePrefix+"restart.bulk"]; n != 1000 {
		t.Errorf("%d commands in the lane", n)
	}
}

// With the broker away the answer is 503, and the same request stores each command
// once when it is back.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	var away bool
	r := newRig(t, func(o *Options) { o.Broker = switchable{o.Broker, &away} })
	away = true
	batch := "[" + structured("a", "restart", restartData) + "," + structured("b", "restart", strings.Replace(restartData, "t-1", "t-2", 1)) + "]"
	a := r.post("/v1/commands", batch, "Content-Type", batchType)
	if a.code != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Fatalf("%d %s, Retry-After %q", a.code, a.body, a.header.Get("Retry-After"))
	}
	if n := r.total(); n != 1 {
		t.Fatalf("%d commands stored, want the one that came through", n)
	}
	away = false
	if a := r.post("/v1/commands", batch, "Content-Type", batchType); a.code != http.StatusAccepted || r.total() != 2 {
		t.Errorf("%d, %d stored", a.code, r.total())
	}
	if r.counted("sluice_intake_events_total", "unavailable", "batch") != 2 {
		t.Error("unavailable events are not counted")
	}
}

// A server that is really gone.
func TestBrokerGone(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.Publish = 300e6 })
	r.server.Shutdown()
	a := r.post("/v1/commands", structured("a", "restart", restartData), "Content-Type", structuredType)
	if a.code != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Fatalf("%d %s", a.code, a.body)
	}
}
