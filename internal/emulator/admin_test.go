package emulator

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"time"
)

func (c *client) admin(method, path, body string) reply {
	c.t.Helper()
	return c.send(c.request(method, "/_emulator/"+path, []byte(body)))
}

func TestAdminRecords(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, id := range []string{"redis-1", "redis-2", "redis-2"} {
		c.volc("RestartDBInstance", obj{"InstanceId": id})
		c.volc("DescribeDBInstanceDetail", obj{"InstanceId": id})
	}
	c.hwStatus("flush", "redis-1")
	for query, want := range map[string]int{
		"": 7, "?vendor=huawei": 1, "?action=RestartDBInstance": 3, "?instance=redis-1": 3, "?mutations=true": 4,
		"?mutations=false": 7, "?limit=2": 2, "?vendor=volcengine&mutations=true&instance=redis-2&limit=9": 2, "?vendor=none": 0,
	} {
		r := c.admin("GET", "calls"+query, "").wantStatus(200)
		if rows, ok := r.at("calls").([]any); !ok || len(rows) != want {
			t.Errorf("%q: %d calls, want %d: %s", query, len(rows), want, r.body)
		}
	}
	c.admin("GET", "calls?limit=1", "").want("calls.0.vendor", "huawei").want("calls.0.time", "2026-01-02T03:04:05Z").want("calls.0.outcome", "ok").
		want("calls.0.operation", "flush").want("calls.0.effect", "true").want("calls.0.httpStatus", "200").want("calls.0.instances.0", "redis-1")
	c.admin("GET", "calls?instance=redis-2&mutations=true", "").want("calls.1.outcome", "InstanceStatusNotMatch").want("calls.1.effect", "false")
	c.admin("GET", "pace?vendor=volcengine", "").want("pace.0.action", "DescribeDBInstanceDetail").want("pace.0.maxPerSecond", "3").
		want("pace.0.region", "cn-beijing").want("pace.0.key", "emulator-key").want("pace.0.limit", "20")
	c.admin("GET", "effects", "").want("effects.0.instance", "redis-1").want("effects.0.vendor", "volcengine").want("effects.0.operation", "restart").
		want("effects.0.count", "1").want("refusedBusy", "1").want("concurrentEffects", "0").want("effects.2.vendor", "huawei")
	c.admin("GET", "effects?instance=redis-2", "").want("effects.0.instance", "redis-2")
	c.admin("DELETE", "calls", "").wantStatus(200)
	c.admin("GET", "calls", "").want("calls.0.vendor", "")
	c.admin("GET", "pace", "").want("pace.0.vendor", "")
	c.admin("GET", "effects", "").want("effects.0.count", "1") // stays
}

func TestAdminFaults(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	id := c.admin("POST", "faults", `{"kind":"status_before","vendor":"volcengine","times":1,"delay":"1.5s","status":503}`).wantStatus(200).text("id")
	c.volc("DescribeDBInstances", obj{}).wantStatus(503)
	c.volc("DescribeDBInstances", obj{}).wantStatus(200)
	c.admin("GET", "faults", "").want("faults.0.id", id).want("faults.0.applied", "1").want("faults.0.delay", "1.5s").want("faults.0.kind", "status_before")
	c.admin("POST", "faults", `{"id":"mine","kind":"latency","delay":250}`).want("id", "mine")
	c.admin("GET", "faults", "").want("faults.1.delay", "250ms")
	c.admin("DELETE", "faults?id="+id, "").wantStatus(200)
	c.admin("DELETE", "faults?id="+id, "").wantStatus(400)
	c.admin("DELETE", "faults", "").wantStatus(200)
	if n := len(c.s.Faults()); n != 0 {
		t.Errorf("%d faults left", n)
	}
}

func TestAdminSettings(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.admin("GET", "settings", "").want("quirks.volcengineToken", "replay").want("quirks.crsReplayWindow", "5m0s").want("quirks.signatureLife", "0s").want("transitions.restore", "3s").
		want("transitions.scale", "1").want("quotas.mode", "strict").want("quirks.huaweiEmptyList", "204")
	c.admin("PUT", "settings", `{"quirks":{"statusLag":"2s","signatureLife":"4s","crsCode":"string"},"transitions":{"restart":1500},"quotas":{"perSecond":{"huawei":5}}}`).
		wantStatus(200).want("quirks.statusLag", "2s").want("quirks.signatureLife", "4s").want("quirks.crsCode", "string").want("quirks.volcengineToken", "replay").
		want("transitions.restart", "1.5s").want("transitions.flush", "1s").want("quotas.mode", "strict").want("quotas.perSecond.huawei", "5")
	c.admin("PUT", "settings", `{"quotas":{"mode":"off"}}`).want("quirks.statusLag", "2s").want("quotas.mode", "off").want("quotas.perSecond.huawei", "5")
	before := c.admin("GET", "settings", "").body
	for _, bad := range []string{
		`{"quirks":{"crsCode":"roman"}}`, `{"quirks":{"volcengineThrottle":500}}`, `{"quirks":{"colour":1}}`, `{"transitions":{"restart":"soon"}}`,
		`{"transitions":{"colour":1}}`, `{"quotas":{"mode":"lax"}}`, `{"quotas":{"colour":1}}`, `{"colour":1}`, `{} {}`, ``, `[]`,
	} {
		if r := c.admin("PUT", "settings", bad).wantStatus(400); r.text("error") == "" {
			t.Errorf("%s: no message", bad)
		}
	}
	if after := c.admin("GET", "settings", "").body; after != before {
		t.Errorf("a refused change left %s", after)
	}
}

func TestAdminInstances(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.admin("PUT", "instances/volcengine/redis-1", `{"status":"Scaling","engineVersion":"7.0","class":"standalone","region":"cn-shanghai"}`).wantStatus(200)
	c.volc("DescribeDBInstanceDetail", obj{"InstanceId": "redis-1"}).want("Result.Status", "Scaling").want("Result.InstanceClass", "Standalone").
		want("Result.EngineVersion", "7.0").want("Result.RegionId", "cn-shanghai")
	c.volc("DescribeDBInstances", obj{}).want("Result.TotalInstancesNum", "0")
	c.admin("PUT", "instances/volcengine/redis-1", `{}`).wantStatus(200)
	c.volc("DescribeDBInstanceDetail", obj{"InstanceId": "redis-1"}).want("Result.Status", "Running").want("Result.RegionId", "cn-shanghai")
	c.admin("PUT", "instances/volcengine/redis-1", `{"missing":true}`).wantStatus(200)
	c.volc("DescribeDBInstanceDetail", obj{"InstanceId": "redis-1"}).wantCode("InstanceNotExist")
	c.volc("DescribeDBInstances", obj{"RegionId": "cn-shanghai"}).want("Result.TotalInstancesNum", "0")
	c.admin("PUT", "instances/tencent/crs-00000001", `{"fails":true}`).wantStatus(200)
	id := c.crs("ClearRedis", "redisId", "crs-00000001", "password", "p").text("data.requestId")
	c.clock.advance(time.Minute)
	c.crs("DescribeTaskInfo", "requestId", id).want("data.status", "3")
}

func TestAdminRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	tests := []struct {
		method, path, body string
		status             int
	}{
		{"GET", "nowhere", "", 404}, {"PATCH", "calls", "", 405}, {"POST", "", "", 405},
		{"GET", "calls?colour=1", "", 400}, {"GET", "calls?limit=x", "", 400}, {"GET", "calls?mutations=x", "", 400},
		{"DELETE", "calls?vendor=huawei", "", 400}, {"GET", "pace?x=1", "", 400}, {"GET", "effects?x=1", "", 400},
		{"GET", "faults?x=1", "", 400}, {"DELETE", "faults?x=1", "", 400}, {"GET", "settings?x=1", "", 400}, {"DELETE", "?x=1", "", 400},
		{"POST", "faults", `{"kind":"hang","colour":1}`, 400}, {"POST", "faults", `{"kind":"hang","delay":"x"}`, 400}, {"POST", "faults", `{"kind":"x"}`, 400},
		{"PUT", "instances/aws/redis-1", "{}", 400}, {"PUT", "instances/huawei/no!", "{}", 400}, {"PUT", "instances/huawei", "{}", 400},
		{"PUT", "instances/huawei/a/b", "{}", 400}, {"PUT", "instances/huawei/abc", `{"colour":1}`, 400}, {"PUT", "instances/huawei/abc", `{"class":"x"}`, 400},
	}
	for _, tt := range tests {
		if r := c.admin(tt.method, tt.path, tt.body); r.status != tt.status || r.text("error") == "" {
			t.Errorf("%s %s %s: HTTP %d %s, want %d with a message", tt.method, tt.path, tt.body, r.status, r.body, tt.status)
		}
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{TaskError: true}})
	before := c.admin("GET", "settings", "").body
	c.volc("RestartDBInstance", obj{"InstanceId": volcID, "ClientToken": "t"}).wantCode("ok")
	c.volc("FlushDBInstance", obj{"InstanceId": volcID})
	params := c.crsParams("POST", "ClearRedis", "redisId", tcID, "password", "p").Encode()
	c.send(c.request("POST", crsPath, []byte(params))).wantCode("ok")
	c.fault(Fault{Kind: FaultStatusBefore})
	c.admin("PUT", "settings", `{"quirks":{"taskError":false},"quotas":{"mode":"off"},"transitions":{"scale":9}}`).wantStatus(200)
	c.admin("DELETE", "", "").wantStatus(200)
	if n, e, p := len(c.s.Calls(Filter{})), c.s.Effects(), c.s.Paces(); n != 0 || len(e.Effects) != 0 || e.Violations != (Violations{}) || len(p) != 0 {
		t.Errorf("left %d calls, effects %+v, paces %v", n, e, p)
	}
	if after := c.admin("GET", "settings", "").body; after != before {
		t.Errorf("settings %s", after)
	}
	c.volc("RestartDBInstance", obj{"InstanceId": volcID, "ClientToken": "t"}).wantCode("ok")
	c.send(c.request("POST", crsPath, []byte(params))).wantCode("ok")
	if n := c.s.Effects().Total("", ""); n != 2 {
		t.Errorf("%d effects", n)
	}
}

// TestHelpAndDocumentation holds what GET /_emulator/ and the package comment
// say against the code.
func TestHelpAndDocumentation(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	help := c.admin("GET", "", "").wantStatus(200).body
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	doc := file.Doc.Text()
	words := []string{uuidMissing, uuidDeadBackup, uuidFails, uuidRedis3, uuidStandalone, "missing, unknown, nonexist", "fails", "redis3", "standalone", "wrong", "expired, broken"}
	for _, v := range vendors {
		words = append(words, string(v), standing[v][0], standing[v][1])
	}
	for _, w := range words {
		if !strings.Contains(help, w) || !strings.Contains(doc, w) {
			t.Errorf("%q is missing from help (%t) or package comment (%t)", w, !strings.Contains(help, w), !strings.Contains(doc, w))
		}
	}
	raw, err := json.Marshal(Quirks{})
	if err != nil {
		t.Fatal(err)
	}
	var quirks, fault map[string]any
	if err := json.Unmarshal(raw, &quirks); err != nil {
		t.Fatal(err)
	}
	raw, err = json.Marshal(Fault{ID: "x", Vendor: "x", Action: "x", Operation: "x", Instance: "x", Times: 1, Probability: 1, Delay: 1, Status: 1, Code: "x", Message: "x", Body: "x", Location: "x", RetryAfter: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &fault); err != nil {
		t.Fatal(err)
	}
	delete(fault, "applied")
	for name := range quirks {
		fault[name] = nil
	}
	for _, k := range faultKinds {
		fault[string(k)] = nil
	}
	for name := range fault {
		if !strings.Contains(help, name) {
			t.Errorf("help does not mention %s", name)
		}
	}
}

// TestImports keeps the emulator from sharing code with what it judges.
func TestImports(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if strings.Contains(i.Path.Value, ".") {
				t.Errorf("%s imports %s", e.Name(), i.Path.Value)
			}
		}
	}
}
