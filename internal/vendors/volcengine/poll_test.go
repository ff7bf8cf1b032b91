package volcengine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestAdvance(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	cases := []struct {
		name       string
		op         vendors.Operation
		accepted   time.Time
		state      string
		status     string
		want       vendors.TaskState
		wantMemory string
	}{
		{"first look still Running", vendors.Restart, ago(time.Second), ``, "Running", vendors.Running, `{}`},
		{"just before the grace ends", vendors.Restart, ago(grace - time.Millisecond), ``, "Running", vendors.Running, `{}`},
		{"Running for the whole grace", vendors.Restart, ago(grace), `{}`, "Running", vendors.Succeeded, `{}`},
		{"busy", vendors.Restart, ago(time.Second), ``, "Restarting", vendors.Running, `{"seenBusy":true}`},
		{"Running after busy", vendors.Restart, ago(2 * time.Second), `{"seenBusy":true}`, "Running", vendors.Succeeded, `{"seenBusy":true}`},
		{"still busy", vendors.Restore, ago(time.Hour), `{"seenBusy":true}`, "Restoring", vendors.Running, `{"seenBusy":true}`},
		{"busy with something else", vendors.Restart, ago(time.Second), ``, "Upgrading", vendors.Running, `{"otherAt":"2026-01-02T03:04:05Z"}`},
		{"restore seen during a restart", vendors.Restart, ago(time.Hour), ``, "Restoring", vendors.Running, `{"otherAt":"2026-01-02T03:04:05Z"}`},
		{"Running soon after something else", vendors.Restart, ago(time.Hour), `{"otherAt":"2026-01-02T03:04:00Z"}`, "Running", vendors.Running, `{"otherAt":"2026-01-02T03:04:00Z"}`},
		{"Running long after something else", vendors.Restart, ago(time.Hour), `{"otherAt":"2026-01-02T03:03:35Z"}`, "Running", vendors.Succeeded, `{"otherAt":"2026-01-02T03:03:35Z"}`},
		{"unknown status", vendors.Restart, ago(time.Hour), ``, "Sleeping", vendors.Running, `{"otherAt":"2026-01-02T03:04:05Z"}`},
		{"being deleted", vendors.Restart, ago(time.Hour), `{"seenBusy":true}`, "Deleting", vendors.Running, `{"seenBusy":true,"otherAt":"2026-01-02T03:04:05Z"}`},
		{"failed", vendors.Restart, ago(time.Second), `{"seenBusy":true}`, "TaskFailed", vendors.Failed, `{"seenBusy":true}`},
		{"creation failed", vendors.Restore, ago(time.Second), ``, "CreateFailed", vendors.Failed, `{}`},
		{"memory in tatters", vendors.Restart, ago(time.Second), `"?`, "Running", vendors.Running, `{}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			task := vendors.Task{Operation: c.op, InstanceID: id, AcceptedAt: c.accepted, State: json.RawMessage(c.state)}
			p := advance(task, sight{c.status, vendors.Verdict{Kind: vendors.Done}}, now)
			if p.State != c.want || string(p.Task.State) != c.wantMemory {
				t.Errorf("state %d with memory %s, want %d with %s", p.State, p.Task.State, c.want, c.wantMemory)
			}
			if (p.State == vendors.Failed) != (p.Verdict.Reason == "task_failed") {
				t.Errorf("verdict %+v", p.Verdict)
			}
			if p.Task.InstanceID != id || p.Task.AcceptedAt != c.accepted || p.Task.Operation != c.op {
				t.Errorf("task %+v", p.Task)
			}
		})
	}
}

func tasks(n int) []vendors.Task {
	var out []vendors.Task
	for i := range n {
		out = append(out, vendors.Task{Operation: vendors.Restart, InstanceID: fmt.Sprintf("redis-%d", i), AcceptedAt: time.Now().Add(-time.Hour)})
	}
	return out
}

func row(i int, status string) string {
	return fmt.Sprintf(`{"InstanceId":"redis-%d","Status":%q}`, i, status)
}

func listed(total int, rows ...string) reply {
	return ok(actionInstances, fmt.Sprintf(`{"TotalInstancesNum":"%d","Instances":[%s]}`, total, strings.Join(rows, ",")))
}

func one(i int, status string) reply { return ok(actionDetail, row(i, status)) }

func wantStates(t *testing.T, got []vendors.Progress, want ...vendors.TaskState) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d answers, want %d", len(got), len(want))
	}
	for i, p := range got {
		if p.State != want[i] {
			t.Errorf("task %d is in state %d (%s), want %d", i, p.State, p.Verdict.Message, want[i])
		}
	}
}

func TestPollFew(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{actionDetail: {one(0, "Running"), fault(500, "InternalError")}})
	got := client(t, account(cloud.url)).Poll(t.Context(), tasks(2))
	wantStates(t, got, vendors.Succeeded, vendors.Unknown)
	wantVerdict(t, got[1].Verdict, vendors.Transient, "vendor_unavailable")
	cloud.wantActions(t, actionDetail, actionDetail)
}

func TestPollMany(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{
		actionInstances: {
			listed(5, row(7, "Running"), row(0, "Running"), row(1, "Restarting")),
			listed(5, row(1, "Restarting"), row(2, "TaskFailed")),
		},
		actionDetail: {one(3, "Running")},
	})
	got := client(t, account(cloud.url)).Poll(t.Context(), tasks(4))
	wantStates(t, got, vendors.Succeeded, vendors.Running, vendors.Failed, vendors.Succeeded)
	cloud.wantActions(t, actionInstances, actionInstances, actionDetail)
	first, second := cloud.calls[0].body, cloud.calls[1].body
	if first["PageNumber"] != 1.0 || second["PageNumber"] != 2.0 || first["PageSize"] != 100.0 {
		t.Errorf("pages %v and %v", first, second)
	}
}

func TestPollListEnds(t *testing.T) {
	t.Parallel()
	t.Run("with an empty page", func(t *testing.T) {
		t.Parallel()
		cloud := newCloud(t, map[string][]reply{
			actionInstances: {listed(90, row(0, "Running")), listed(90)},
			actionDetail:    {one(1, "Running"), fault(400, "InstanceNotExist")},
		})
		got := client(t, account(cloud.url)).Poll(t.Context(), tasks(3))
		wantStates(t, got, vendors.Succeeded, vendors.Succeeded, vendors.Unknown)
		wantVerdict(t, got[2].Verdict, vendors.Refused, "instance_not_found")
	})
	t.Run("when all were seen", func(t *testing.T) {
		t.Parallel()
		cloud := newCloud(t, map[string][]reply{actionInstances: {listed(900, row(0, "Running"), row(1, "Running"), row(2, "Running"))}})
		client(t, account(cloud.url)).Poll(t.Context(), tasks(3))
		cloud.wantActions(t, actionInstances)
	})
	t.Run("though the vendor never ends it", func(t *testing.T) {
		t.Parallel()
		cloud := newCloud(t, map[string][]reply{actionInstances: {ok(actionInstances, `{"Instances":[`+row(0, "Running")+`]}`)}, actionDetail: {fault(400, "InstanceNotExist")}})
		client(t, account(cloud.url)).Poll(t.Context(), tasks(3))
		if n := len(cloud.actions()); n != maxPages+2 {
			t.Errorf("%d calls, want %d", n, maxPages+2)
		}
	})
	t.Run("when it has more pages left than there are instances to find", func(t *testing.T) {
		t.Parallel()
		cloud := newCloud(t, map[string][]reply{
			actionInstances: {listed(302, row(0, "Running"), row(8, "Running"))},
			actionDetail:    {one(1, "Running"), one(2, "Running")},
		})
		wantStates(t, client(t, account(cloud.url)).Poll(t.Context(), tasks(3)), vendors.Succeeded, vendors.Succeeded, vendors.Succeeded)
		cloud.wantActions(t, actionInstances, actionDetail, actionDetail)
	})
	t.Run("with a failure", func(t *testing.T) {
		t.Parallel()
		cloud := newCloud(t, map[string][]reply{actionInstances: {listed(90, row(0, "Running")), fault(429, "FlowLimitExceeded")}})
		got := client(t, account(cloud.url)).Poll(t.Context(), tasks(3))
		wantStates(t, got, vendors.Succeeded, vendors.Unknown, vendors.Unknown)
		wantVerdict(t, got[1].Verdict, vendors.Throttled, "quota_exhausted")
		cloud.wantActions(t, actionInstances, actionInstances)
	})
}
