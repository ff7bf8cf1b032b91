package volcengine

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

func named(numbers ...int) []string {
	var ids []string
	for _, n := range numbers {
		ids = append(ids, fmt.Sprintf("redis-%d", n))
	}
	return ids
}

func TestSurveyFew(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{actionDetail: {
		one(0, "Running"), one(1, "Restarting"), fault(400, "InstanceNotExist"), one(0, "Running"), fault(429, "FlowLimitExceeded"),
	}})
	c, start := client(t, account(cloud.url)), time.Now()
	for _, x := range []struct {
		ids  []string
		want map[string]string
		kind vendors.Kind
	}{
		{named(0, 1), map[string]string{"redis-0": `{"status":"Running"}`, "redis-1": `{"status":"Restarting"}`}, vendors.Done},
		// One that is refused is no reason not to look at the others.
		{named(2, 0), map[string]string{"redis-0": `{"status":"Running"}`}, vendors.Done},
		{named(3, 0), nil, vendors.Throttled},
	} {
		seen, v := c.Survey(t.Context(), x.ids)
		if v.Kind != x.kind {
			t.Errorf("%v: verdict %+v", x.ids, v)
		}
		wantSeen(t, seen, start, x.want)
	}
	cloud.wantActions(t, actionDetail, actionDetail, actionDetail, actionDetail, actionDetail)
}

func TestSurveyMany(t *testing.T) {
	t.Parallel()
	classed := func(i int, class string) string {
		return fmt.Sprintf(`{"InstanceId":"redis-%d","Status":"Running","InstanceClass":%q}`, i, class)
	}
	cases := []struct {
		name  string
		pages []reply
		want  map[string]string
		calls int
		kind  vendors.Kind
	}{
		{"on two pages", []reply{listed(90, row(7, "Running"), classed(0, "Standalone")), listed(90, row(1, "Upgrading"), classed(2, "PrimarySecondary"))},
			map[string]string{"redis-0": `{"status":"Running","class":"Standalone"}`, "redis-1": `{"status":"Upgrading"}`, "redis-2": `{"status":"Running","class":"PrimarySecondary"}`}, 2, vendors.Done},
		{"one is not in the list", []reply{listed(2, row(0, "Running"), row(1, "Running"))}, map[string]string{"redis-0": `{"status":"Running"}`, "redis-1": `{"status":"Running"}`}, 1, vendors.Done},
		{"on two pages with two statuses", []reply{listed(90, row(0, "Restarting")), listed(90, row(0, "Running"), row(1, "Running"), row(2, "Running"))},
			map[string]string{"redis-0": `{"status":"Running"}`, "redis-1": `{"status":"Running"}`, "redis-2": `{"status":"Running"}`}, 2, vendors.Done},
		{"a page promises one", []reply{listed(102, row(0, "Running"))}, map[string]string{"redis-0": `{"status":"Running"}`}, 1, vendors.Done},
		{"the list fails", []reply{fault(500, "InternalError")}, nil, 1, vendors.Transient},
		{"the list breaks off", []reply{listed(90, row(0, "Running")), fault(429, "FlowLimitExceeded")}, map[string]string{"redis-0": `{"status":"Running"}`}, 2, vendors.Throttled},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{actionInstances: x.pages})
			start := time.Now()
			seen, v := client(t, account(cloud.url)).Survey(t.Context(), named(0, 1, 2))
			if v.Kind != x.kind {
				t.Errorf("verdict %+v", v)
			}
			wantSeen(t, seen, start, x.want)
			if n := len(cloud.actions()); n != x.calls {
				t.Errorf("%d calls, want %d", n, x.calls)
			}
		})
	}
}

func TestPrepareWithASighting(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const base = `{"status":"Running","at":"2026-01-02T03:04:05Z"}`
	cases := []struct {
		op        vendors.Operation
		seen      string
		kind      vendors.Kind
		reason    string
		base      string
		looksItUp bool
	}{
		{vendors.Restart, `{"status":"Running"}`, vendors.Done, "", base, false},
		{vendors.Flush, `{"status":"Running","class":"Standalone"}`, vendors.Done, "", base, false},
		{vendors.Restart, `{"status":"Restarting"}`, vendors.Busy, "instance_busy", ``, false},
		{vendors.Restart, `{"status":"NewStatus"}`, vendors.Busy, "instance_busy", ``, false},
		{vendors.Restart, `{"status":"Closing"}`, vendors.Refused, "instance_state", ``, false},
		{vendors.Restore, `{"status":"Running","class":"PrimarySecondary"}`, vendors.Done, "", base, false},
		{vendors.Restore, `{"status":"Running","class":"Standalone"}`, vendors.Refused, "operation_unsupported", ``, false},
		{vendors.Restore, `{"status":"Running"}`, vendors.Done, "", ``, true},
		{vendors.Restart, ``, vendors.Done, "", ``, true},
		{vendors.Restart, `{}`, vendors.Done, "", ``, true},
		{vendors.Restart, `{"status":1}`, vendors.Done, "", ``, true},
	}
	for _, c := range cases {
		t.Run(string(c.op)+" "+c.seen, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{
				actionDetail:  {described("Running")},
				actionBackups: {ok(actionBackups, fmt.Sprintf(`{"Total":1,"Backups":[{"BackupPointId":"b-1","InstanceId":%q,"Status":"Available"}]}`, id))},
			})
			req := vendors.Request{Operation: c.op, InstanceID: id, Seen: &vendors.Sighting{At: at, Detail: noted(c.seen)}}
			if c.op == vendors.Restore {
				req.BackupID = "b-1"
			}
			got, v := client(t, account(cloud.url)).Prepare(t.Context(), req)
			wantVerdict(t, v, c.kind, c.reason)
			var calls []string
			if c.looksItUp {
				calls = append(calls, actionDetail)
				if strings.Contains(string(got), "2026-01-02T03:04:05") {
					t.Errorf("the baseline of a look-up is %s", got)
				}
			} else if string(got) != c.base {
				t.Errorf("baseline %s, want %s", got, c.base)
			}
			if c.op == vendors.Restore && c.kind == vendors.Done {
				calls = append(calls, actionBackups)
			}
			cloud.wantActions(t, calls...)
		})
	}
}

// Instances that the list leaves out, such as Enterprise ones, cost a bounded number
// of look-ups in each poll, and each has its turn.
func TestPollOfManyThatAreNotListed(t *testing.T) {
	t.Parallel()
	const n = 3*singles - 5
	cloud := newCloud(t, map[string][]reply{actionInstances: {listed(1, row(n, "Running"))}, actionDetail: {fault(400, "InstanceNotExist")}})
	c, all := client(t, account(cloud.url)), tasks(n+1)
	for round := 1; round <= 3; round++ {
		got := c.Poll(t.Context(), all)
		waiting := 0
		for i, p := range got {
			if i == n {
				wantStates(t, got[n:], vendors.Succeeded)
				continue
			}
			if p.State != vendors.Unknown {
				t.Errorf("task %d is in state %d", i, p.State)
			}
			if p.Verdict.Kind == vendors.Transient {
				waiting++
			}
		}
		if waiting != n-singles {
			t.Errorf("%d had no turn, want %d", waiting, n-singles)
		}
	}
	asked, calls := map[any]int{}, 0
	for _, r := range cloud.calls {
		if r.action == actionDetail {
			calls++
			asked[r.body["InstanceId"]]++
		}
	}
	if calls != 3*singles || len(asked) != n {
		t.Errorf("%d look-ups of %d instances, want %d of %d", calls, len(asked), 3*singles, n)
	}
}

// In a large account the list is left to the polls, unless it shows many at once.
func TestSurveyLeavesALongList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ instances, wanted, calls int }{
		{900, 40, 2}, {5000, 200, 1}, {5000, 600, 2},
	} {
		cloud := newCloud(t, map[string][]reply{actionInstances: {listed(c.instances, row(0, "Running")), listed(c.instances)}})
		ids := make([]string, c.wanted)
		for i := range ids {
			ids[i] = fmt.Sprintf("redis-%d", i)
		}
		if _, v := client(t, account(cloud.url)).Survey(t.Context(), ids); v.Kind != vendors.Done {
			t.Errorf("%+v", v)
		}
		if got := len(cloud.actions()); got != c.calls {
			t.Errorf("%d of %d instances: %d pages were read, want %d", c.wanted, c.instances, got, c.calls)
		}
	}
}
