package huawei

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// noted is what a sighting holds, written as JSON; nothing if that does not fit.
func noted(text string) any {
	var d detail
	if json.Unmarshal([]byte(text), &d) != nil {
		return nil
	}
	return d
}

// wantSeen compares the details of sightings, and when the looks began.
func wantSeen(t *testing.T, got map[string]vendors.Sighting, since time.Time, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("saw %d instances, want %d", len(got), len(want))
	}
	for id, detail := range want {
		s := got[id]
		if !reflect.DeepEqual(s.Detail, noted(detail)) {
			t.Errorf("%s: %+v, want %s", id, s.Detail, detail)
		}
		if s.At.Before(since) || s.At.After(time.Now()) {
			t.Errorf("%s was seen at %v", id, s.At)
		}
	}
}

func TestSurveyFew(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{
		get(0): {ok(`{"instance_id":"i-0","status":"RUNNING","engine_version":"6.0","cache_mode":"ha","task":null}`)},
		get(1): {ok(`{"instance_id":"i-1","status":"RUNNING","task":{"id":1}}`)},
		get(2): {fault(404, "DCS.3022")},
		get(3): {fault(429, "APIGW.0308")},
	})
	c, start := client(t, account(cloud.url)), time.Now()
	seen, v := c.Survey(t.Context(), []string{"i-0", "i-1"})
	wantVerdict(t, v, vendors.Done, "")
	wantSeen(t, seen, start, map[string]string{
		"i-0": `{"status":"RUNNING","engineVersion":"6.0","cacheMode":"ha","task":false}`,
		"i-1": `{"status":"RUNNING","task":true}`,
	})
	// One that is refused is no reason not to look at the others.
	seen, v = c.Survey(t.Context(), []string{"i-2", "i-0"})
	wantVerdict(t, v, vendors.Done, "")
	wantSeen(t, seen, start, map[string]string{"i-0": `{"status":"RUNNING","engineVersion":"6.0","cacheMode":"ha","task":false}`})
	seen, v = c.Survey(t.Context(), []string{"i-3", "i-0"})
	wantVerdict(t, v, vendors.Throttled, "quota_exhausted")
	wantSeen(t, seen, start, nil)
	cloud.wantCalls(t, get(0), get(1), get(2), get(0), get(3))
}

func TestSurveyMany(t *testing.T) {
	t.Parallel()
	row := func(i int) string {
		return fmt.Sprintf(`{"instance_id":"i-%d","status":"RUNNING","engine_version":"6.0","cache_mode":"ha"}`, i)
	}
	seenRow := `{"status":"RUNNING","engineVersion":"6.0","cacheMode":"ha"}`
	cases := []struct {
		name  string
		ids   []string
		pages []reply
		want  []string
		calls int
		kind  vendors.Kind
	}{
		{"on one page", []string{"i-0", "i-1", "i-2"}, []reply{listed(4, row(1), row(0), row(9), row(2))}, []string{"i-0", "i-1", "i-2"}, 1, vendors.Done},
		{"on two pages", []string{"i-0", "i-1", "i-2"}, []reply{listed(900, row(1)), listed(900, row(0), row(2))}, []string{"i-0", "i-1", "i-2"}, 2, vendors.Done},
		{"one is not in the list", []string{"i-0", "i-1", "i-2"}, []reply{listed(3, row(1), row(0), row(7))}, []string{"i-0", "i-1"}, 1, vendors.Done},
		{"one has no id at all", []string{"i-0", "i-1", "a/b"}, []reply{listed(900, row(1), row(0))}, []string{"i-0", "i-1"}, 1, vendors.Done},
		{"no status", []string{"i-0", "i-1", "i-2"}, []reply{listed(3, row(1), `{"instance_id":"i-0"}`, row(2))}, []string{"i-1", "i-2"}, 1, vendors.Done},
		{"none at all", []string{"i-0", "i-1", "i-2"}, []reply{{status: 204}}, nil, 1, vendors.Done},
		{"more pages than instances to find", []string{"i-0", "i-1", "i-2"}, []reply{listed(2500, row(1)), listed(2500, row(0))}, []string{"i-1"}, 1, vendors.Done},
		{"as many pages as instances to find", []string{"i-0", "i-1", "i-2"}, []reply{listed(2001, row(1)), listed(2001, row(0)), listed(2001, row(7))}, []string{"i-0", "i-1"}, 2, vendors.Done},
		{"the list breaks off", []string{"i-0", "i-1", "i-2"}, []reply{listed(900, row(1)), fault(429, "APIGW.0308")}, []string{"i-1"}, 2, vendors.Throttled},
		{"the list fails", []string{"i-0", "i-1", "i-2"}, []reply{fault(500, "DCS.5024")}, nil, 1, vendors.Transient},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{getInstances: c.pages})
			start := time.Now()
			seen, v := client(t, account(cloud.url)).Survey(t.Context(), c.ids)
			if v.Kind != c.kind {
				t.Errorf("verdict %+v", v)
			}
			want := map[string]string{}
			for _, id := range c.want {
				want[id] = seenRow
			}
			wantSeen(t, seen, start, want)
			if n := len(cloud.calls); n != c.calls || cloud.calls[0].query.Get("limit") != "1000" {
				t.Errorf("%d calls, want %d; the first with %v", n, c.calls, cloud.calls[0].query)
			}
		})
	}
}

// A task that a list does show counts, although lists are not documented to.
func TestSurveyTakesATaskInTheList(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{getInstances: {listed(3, `{"instance_id":"i-0","status":"RUNNING","task":{}}`, `{"instance_id":"i-1","status":"RUNNING","task":null}`)}})
	seen, _ := client(t, account(cloud.url)).Survey(t.Context(), []string{"i-0", "i-1", "i-2"})
	wantSeen(t, seen, time.Time{}, map[string]string{"i-0": `{"status":"RUNNING","task":true}`, "i-1": `{"status":"RUNNING"}`})
}

func TestPrepareWithASighting(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const base = `,"at":"2026-01-02T03:04:05Z"`
	cases := []struct {
		op           vendors.Operation
		seen         string
		kind         vendors.Kind
		reason, base string
		looksItUp    bool
	}{
		{vendors.Restart, `{"status":"RUNNING"}`, vendors.Done, "", `{"status":"RUNNING"` + base + `,"taskUnknown":true}`, false},
		{vendors.Restart, `{"status":"RUNNING","task":false}`, vendors.Done, "", `{"status":"RUNNING"` + base + `}`, false},
		{vendors.SoftRestart, `{"status":"RUNNING","task":true}`, vendors.Busy, "instance_busy", ``, false},
		{vendors.Restart, `{"status":"ERROR"}`, vendors.Done, "", `{"status":"ERROR"` + base + `,"taskUnknown":true}`, false},
		{vendors.Restart, `{"status":"RESTARTING"}`, vendors.Busy, "instance_busy", ``, false},
		{vendors.Restart, `{"status":"SLEEPING"}`, vendors.Busy, "instance_busy", ``, false},
		{vendors.Restart, `{"status":"FROZEN"}`, vendors.Refused, "instance_state", ``, false},
		{vendors.Flush, `{"status":"RUNNING","engineVersion":"6.0"}`, vendors.Done, "", `{"status":"RUNNING"` + base + `,"taskUnknown":true}`, false},
		{vendors.Flush, `{"status":"RUNNING","engineVersion":"3.0"}`, vendors.Refused, "operation_unsupported", ``, false},
		{vendors.Flush, `{"status":"RUNNING"}`, vendors.Done, "", ``, true},
		{vendors.Restore, `{"status":"RUNNING","cacheMode":"single"}`, vendors.Refused, "operation_unsupported", ``, false},
		{vendors.Restore, `{"status":"RUNNING","cacheMode":"ha"}`, vendors.Done, "", `{"status":"RUNNING"` + base + `,"taskUnknown":true}`, false},
		{vendors.Restore, `{"status":"RUNNING","engineVersion":"6.0"}`, vendors.Done, "", ``, true},
		{vendors.Restart, ``, vendors.Done, "", ``, true},
		{vendors.Restart, `{}`, vendors.Done, "", ``, true},
		{vendors.Restart, `[1`, vendors.Done, "", ``, true},
		{vendors.Restart, `{"status":7}`, vendors.Done, "", ``, true},
	}
	for _, c := range cases {
		t.Run(string(c.op)+" "+c.seen, func(t *testing.T) {
			t.Parallel()
			backup := ok(fmt.Sprintf(`{"total_num":1,"backup_record_response":[{"backup_id":"backup-1","instance_id":%q,"status":"succeed"}]}`, id))
			cloud := newCloud(t, map[string][]reply{getInstance: {shown("RUNNING", `,"engine_version":"6.0","cache_mode":"ha"`)}, getBackups: {backup}})
			req := request(c.op)
			req.Seen = &vendors.Sighting{At: at, Detail: noted(c.seen)}
			got, v := client(t, account(cloud.url)).Prepare(t.Context(), req)
			wantVerdict(t, v, c.kind, c.reason)
			var calls []string
			if c.looksItUp {
				calls = append(calls, getInstance)
				if strings.Contains(string(got), "taskUnknown") || strings.Contains(string(got), "2026-01-02T03:04:05") {
					t.Errorf("the baseline of a look-up is %s", got)
				}
			} else if string(got) != c.base {
				t.Errorf("baseline %s, want %s", got, c.base)
			}
			if c.op == vendors.Restore && c.kind == vendors.Done {
				calls = append(calls, getBackups)
			}
			cloud.wantCalls(t, calls...)
		})
	}
}

// A task at work after the call is no trace of it where one may have been at work
// before: only the status is.
func TestReconcileAfterASighting(t *testing.T) {
	t.Parallel()
	cases := []struct {
		op           vendors.Operation
		status, more string
		conclusion   vendors.Conclusion
		clear        bool
	}{
		{vendors.Restart, "RUNNING", `,"task":{"id":1}`, vendors.Unclear, false},
		{vendors.SoftRestart, "ERROR", `,"task":{"id":1}`, vendors.Unclear, false},
		{vendors.Restart, "RESTARTING", `,"task":{"id":1}`, vendors.Ran, false},
		{vendors.Flush, "FLUSHING", ``, vendors.Ran, false},
		{vendors.Restart, "RUNNING", ``, vendors.Unclear, true},
	}
	for _, c := range cases {
		cloud := newCloud(t, map[string][]reply{getInstance: {shown(c.status, c.more)}})
		intent := ripe()
		intent.Baseline = vendors.Baseline(`{"status":"RUNNING","taskUnknown":true}`)
		got := client(t, account(cloud.url)).Reconcile(t.Context(), request(c.op), intent)
		if got.Conclusion != c.conclusion || got.Clear != c.clear || !tells(got) || strings.Contains(got.Evidence, "without a task at") {
			t.Errorf("%s at %s%s: %+v", c.op, c.status, c.more, got)
		}
		if c.conclusion == vendors.Ran && string(got.Task.State) != `{"seenBusy":true,"taskUnknown":true}` {
			t.Errorf("%s at %s: state %s", c.op, c.status, got.Task.State)
		}
	}
}
