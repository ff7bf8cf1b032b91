package tencent

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func surveyed(id, status string) string {
	return fmt.Sprintf(`{"InstanceId":%q,"Status":%s}`, id, status)
}

func TestSurvey(t *testing.T) {
	t.Parallel()
	three := []string{"crs-a", "crs-b", "crs-c"}
	cases := []struct {
		name   string
		ids    []string
		answer string
		want   map[string]string
		kind   vendors.Kind
		calls  int
	}{
		{"all, in another order", three, list("InstanceSet", 3, surveyed("crs-c", "2"), surveyed("crs-a", `"1"`), surveyed("crs-b", "-2")),
			map[string]string{"crs-a": `{"status":1}`, "crs-b": `{"status":-2}`, "crs-c": `{"status":2}`}, vendors.Done, 1},
		{"one is unknown", three, list("InstanceSet", 2, surveyed("crs-c", "2"), surveyed("crs-a", "0")), map[string]string{"crs-a": `{"status":0}`, "crs-c": `{"status":2}`}, vendors.Done, 1},
		{"one has no status, another is not ours", three, list("InstanceSet", 3, surveyed("crs-c", "null"), surveyed("crs-x", "2"), surveyed("crs-a", "2")), map[string]string{"crs-a": `{"status":2}`}, vendors.Done, 1},
		{"just one", three[:1], list("InstanceSet", 1, surveyed("crs-a", "2")), map[string]string{"crs-a": `{"status":2}`}, vendors.Done, 1},
		{"none of them", three, list("InstanceSet", 0), nil, vendors.Done, 1},
		{"nobody is asked about", nil, "", nil, vendors.Done, 0},
		// It may be refused for one id; that must not become the answer for all.
		{"refused", three, fault("InvalidParameter.InvalidParameter", "crs-b"), nil, vendors.Done, 1},
		{"locked", three, fault("ResourceUnavailable.InstanceLockedError", ""), nil, vendors.Done, 1},
		{"no list", three, response(`"X":1`), nil, vendors.Transient, 1},
		{"throttled", three, fault("RequestLimitExceeded", ""), nil, vendors.Throttled, 1},
		{"wrong key", three, fault("AuthFailure.SignatureFailure", ""), nil, vendors.Unauthorized, 1},
		{"gateway", three, "504 <html>", nil, vendors.Transient, 1},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newCloud(t, map[string][]string{actionInstances: {x.answer}})
			start := time.Now()
			seen, v := client(t, s.account()).Survey(t.Context(), x.ids)
			if v.Kind != x.kind || len(seen) != len(x.want) {
				t.Errorf("saw %d with %+v", len(seen), v)
			}
			for id, detail := range x.want {
				if got := seen[id]; got.Detail != noted(detail) || got.At.Before(start) || got.At.After(time.Now()) {
					t.Errorf("%s: %+v at %v, want %s", id, got.Detail, got.At, detail)
				}
			}
			if n := len(s.requests("")); n != x.calls {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestSurveyRequest(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{actionInstances: {list("InstanceSet", 0)}})
	c := client(t, s.account())
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("crs-%d", i))
	}
	for _, ids := range [][]string{{"crs-a", "crs-b"}, many} {
		if _, v := c.Survey(t.Context(), ids); v.Kind != vendors.Done {
			t.Errorf("%+v", v)
		}
	}
	got := s.requests(actionInstances)
	if string(got[0].raw) != `{"InstanceIds":["crs-a","crs-b"],"Limit":20,"Offset":0}` {
		t.Errorf("request %s", got[0].raw)
	}
	if ids, _ := got[1].body["InstanceIds"].([]any); len(ids) != 100 || got[1].body["Limit"] != json.Number("100") {
		t.Errorf("request %s", got[1].raw)
	}
}

// noted is what a sighting holds, written as JSON; nothing if that does not fit.
func noted(text string) any {
	var d detail
	if json.Unmarshal([]byte(text), &d) != nil {
		return nil
	}
	return d
}

func TestPrepareWithASighting(t *testing.T) {
	t.Parallel()
	cases := []struct {
		req     vendors.Request
		seen    string
		kind    vendors.Kind
		reason  string
		actions []string
	}{
		{flush(), `{"status":2}`, vendors.Done, "", []string{actionTasks}},
		{restore(), `{"status":2}`, vendors.Done, "", []string{actionBackups, actionTasks}},
		{flush(), `{"status":1}`, vendors.Busy, "instance_busy", nil},
		{flush(), `{"status":0}`, vendors.Busy, "instance_busy", nil},
		{flush(), `{"status":-2}`, vendors.Refused, "instance_state", nil},
		{flush(), `{"status":"2"}`, vendors.Done, "", []string{actionInstances, actionTasks}},
		{flush(), ``, vendors.Done, "", []string{actionInstances, actionTasks}},
	}
	for _, x := range cases {
		t.Run(string(x.req.Operation)+" "+x.seen, func(t *testing.T) {
			t.Parallel()
			s := newCloud(t, map[string][]string{actionInstances: {instances("2")}, actionBackups: {backups("2")}, actionTasks: {tasks()}})
			x.req.Seen = &vendors.Sighting{At: time.Now(), Detail: noted(x.seen)}
			base, v := client(t, s.account()).Prepare(t.Context(), x.req)
			if v.Kind != x.kind || v.Reason != x.reason || (v.Kind == vendors.Done) != (string(base) == `{"total":0}`) {
				t.Errorf("%+v with baseline %s", v, base)
			}
			if v.Kind != vendors.Done && v.Message == "" {
				t.Error("no message")
			}
			var actions []string
			for _, h := range s.requests("") {
				actions = append(actions, h.action)
			}
			if fmt.Sprint(actions) != fmt.Sprint(x.actions) {
				t.Errorf("calls %v, want %v", actions, x.actions)
			}
		})
	}
}
