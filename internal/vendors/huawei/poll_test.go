package huawei

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
	const at = `"2026-01-02T03:04:05Z"`
	cases := []struct {
		name    string
		op      vendors.Operation
		age     time.Duration
		state   string
		status  string
		working bool
		want    vendors.TaskState
		memory  string
	}{
		{"first look, ready", vendors.Restart, time.Second, ``, "RUNNING", false, vendors.Running, `{"readySince":` + at + `}`},
		{"first look, ready, long ago", vendors.Restart, time.Hour, ``, "RUNNING", false, vendors.Running, `{"readySince":` + at + `}`},
		{"ready in every look, not for long", vendors.Restart, settle - time.Millisecond, `{"readySince":"2026-01-02T03:04:00Z"}`, "RUNNING", false, vendors.Running, `{"readySince":"2026-01-02T03:04:00Z"}`},
		{"ready in every look, for long", vendors.Restart, settle, `{"readySince":"2026-01-02T03:04:00Z"}`, "RUNNING", false, vendors.Succeeded, `{"readySince":"2026-01-02T03:04:00Z"}`},
		{"at work by status", vendors.SoftRestart, time.Second, `{"readySince":"2026-01-02T03:04:00Z"}`, "RESTARTING", false, vendors.Running, `{"seenBusy":true}`},
		{"at work by task", vendors.Flush, time.Second, ``, "RUNNING", true, vendors.Running, `{"seenBusy":true}`},
		{"flushing", vendors.Flush, time.Second, ``, "FLUSHING", false, vendors.Running, `{"seenBusy":true}`},
		{"ready once after work", vendors.Flush, time.Hour, `{"seenBusy":true}`, "RUNNING", false, vendors.Running, `{"seenBusy":true,"readySince":` + at + `}`},
		{"ready twice after work, too soon", vendors.Flush, time.Hour, `{"seenBusy":true,"readySince":"2026-01-02T03:04:04.5Z"}`, "RUNNING", false, vendors.Running, `{"seenBusy":true,"readySince":"2026-01-02T03:04:04.5Z"}`},
		{"ready twice after work", vendors.Flush, 2 * time.Second, `{"seenBusy":true,"readySince":"2026-01-02T03:04:04Z"}`, "RUNNING", false, vendors.Succeeded, `{"seenBusy":true,"readySince":"2026-01-02T03:04:04Z"}`},
		{"at work again", vendors.Flush, time.Hour, `{"seenBusy":true,"readySince":"2026-01-02T03:04:04Z"}`, "RUNNING", true, vendors.Running, `{"seenBusy":true}`},
		{"other work", vendors.Restart, time.Hour, `{"readySince":"2026-01-02T03:04:00Z"}`, "EXTENDING", false, vendors.Running, `{"otherAt":` + at + `}`},
		{"flush of somebody else", vendors.Restart, time.Hour, ``, "FLUSHING", false, vendors.Running, `{"otherAt":` + at + `}`},
		{"ready soon after other work", vendors.Restart, time.Hour, `{"readySince":"2026-01-02T03:04:00Z","otherAt":"2026-01-02T03:03:59Z"}`, "RUNNING", false, vendors.Running, `{"readySince":"2026-01-02T03:04:00Z","otherAt":"2026-01-02T03:03:59Z"}`},
		{"ready long after other work", vendors.Restart, time.Hour, `{"readySince":"2026-01-02T03:04:00Z","otherAt":"2026-01-02T03:03:45Z"}`, "RUNNING", false, vendors.Succeeded, `{"readySince":"2026-01-02T03:04:00Z","otherAt":"2026-01-02T03:03:45Z"}`},
		{"unknown status", vendors.Restart, time.Hour, ``, "SLEEPING", false, vendors.Running, `{"otherAt":` + at + `}`},
		{"fault", vendors.Restart, time.Second, ``, "ERROR", false, vendors.Failed, `{}`},
		{"fault during a task", vendors.Restart, time.Second, ``, "ERROR", true, vendors.Running, `{"seenBusy":true}`},
		{"old fault", vendors.Restart, settle - time.Millisecond, `{"fromError":true}`, "ERROR", false, vendors.Running, `{"otherAt":` + at + `,"fromError":true}`},
		{"old fault that stays", vendors.Restart, settle, `{"fromError":true}`, "ERROR", false, vendors.Failed, `{"fromError":true}`},
		{"fault after work", vendors.Restart, time.Second, `{"fromError":true,"seenBusy":true}`, "ERROR", false, vendors.Failed, `{"seenBusy":true,"fromError":true}`},
		{"frozen", vendors.Flush, time.Second, ``, "FROZEN", false, vendors.Failed, `{}`},
		{"deleted", vendors.Flush, time.Second, ``, "DELETED", false, vendors.Failed, `{}`},
		{"memory in tatters", vendors.Flush, time.Hour, `"?`, "RUNNING", false, vendors.Running, `{"readySince":` + at + `}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			task := vendors.Task{Operation: c.op, InstanceID: id, AcceptedAt: now.Add(-c.age), State: json.RawMessage(c.state)}
			p := advance(task, sight{status: c.status, working: c.working, verdict: vendors.Verdict{Kind: vendors.Done}}, now)
			if p.State != c.want || string(p.Task.State) != c.memory {
				t.Errorf("state %d with memory %s, want %d with %s", p.State, p.Task.State, c.want, c.memory)
			}
			if (p.State == vendors.Failed) != (p.Verdict.Reason == "task_failed") {
				t.Errorf("verdict %+v", p.Verdict)
			}
			if p.Task.InstanceID != id || p.Task.AcceptedAt != task.AcceptedAt || p.Task.Operation != c.op {
				t.Errorf("task %+v", p.Task)
			}
		})
	}
}

// tasks are done with their next ready look.
func tasks(n int) []vendors.Task {
	var out []vendors.Task
	for i := range n {
		out = append(out, vendors.Task{
			Operation: vendors.Restart, InstanceID: fmt.Sprintf("i-%d", i), AcceptedAt: time.Now().Add(-time.Hour),
			State: json.RawMessage(`{"seenBusy":true,"readySince":"2026-01-02T03:04:04Z"}`),
		})
	}
	return out
}

func at(i int, status string) string {
	return fmt.Sprintf(`{"instance_id":"i-%d","status":%q}`, i, status)
}

func listed(total int, rows ...string) reply {
	return ok(fmt.Sprintf(`{"instance_num":%d,"instances":[%s]}`, total, strings.Join(rows, ",")))
}

func get(i int) string { return fmt.Sprintf("GET /instances/i-%d", i) }

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
	cloud := newCloud(t, map[string][]reply{
		get(0): {ok(at(0, "RUNNING"))}, get(1): {fault(500, "DCS.5024")}, get(2): {ok(`{"instance_id":"i-2","status":"RUNNING","task":{"id":1}}`)},
	})
	got := client(t, account(cloud.url)).Poll(t.Context(), tasks(3))
	wantStates(t, got, vendors.Succeeded, vendors.Unknown, vendors.Running)
	wantVerdict(t, got[1].Verdict, vendors.Transient, "vendor_unavailable")
	cloud.wantCalls(t, get(0), get(1), get(2))
}

func TestPollMany(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{
		getInstances: {
			listed(7, at(9, "RUNNING"), at(0, "RUNNING"), at(1, "RESTARTING"), at(2, "FROZEN")),
			listed(7, at(2, "FROZEN"), at(3, "RUNNING"), at(5, "ERROR")),
		},
		get(0): {ok(at(0, "RUNNING"))},
		get(3): {ok(`{"instance_id":"i-3","status":"RUNNING","task":{}}`)},
		get(4): {fault(404, "DCS.3022")},
		get(5): {ok(`{"instance_id":"i-5","status":"ERROR","task":{}}`)},
	})
	got := client(t, account(cloud.url)).Poll(t.Context(), tasks(6))
	wantStates(t, got, vendors.Succeeded, vendors.Running, vendors.Failed, vendors.Running, vendors.Unknown, vendors.Running)
	wantVerdict(t, got[4].Verdict, vendors.Refused, "instance_not_found")
	cloud.wantCalls(t, getInstances, getInstances, get(0), get(3), get(4), get(5))
	if first, second := cloud.calls[0].query, cloud.calls[1].query; first.Encode() != "limit=1000&offset=0" || second.Encode() != "limit=1000&offset=4" {
		t.Errorf("pages %v and %v", first, second)
	}
}

func TestPollListFails(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{getInstances: {
		listed(9, at(0, "RUNNING"), at(1, "RESTARTING")), fault(429, "APIGW.0308"),
	}})
	got := client(t, account(cloud.url)).Poll(t.Context(), tasks(4))
	wantStates(t, got, vendors.Unknown, vendors.Running, vendors.Unknown, vendors.Unknown)
	wantVerdict(t, got[0].Verdict, vendors.Throttled, "quota_exhausted")
	cloud.wantCalls(t, getInstances, getInstances)
}

func record(restoreID, backup, remark, status string) string {
	return fmt.Sprintf(`{"restore_id":%q,"backup_id":%q,"restore_remark":%q,"status":%q,"progress":"10.00","error_code":{}}`, restoreID, backup, remark, status)
}

func records(rows ...string) reply {
	return ok(fmt.Sprintf(`{"total_num":%d,"restore_record_response":[%s]}`, len(rows), strings.Join(rows, ",")))
}

func TestPollRestore(t *testing.T) {
	t.Parallel()
	other := record("restore-0", "backup-1", "sluice-other", "failed")
	broken := `{"restore_id":"restore-1","status":"failed","error_code":"dcs.08.0002"}`
	cases := []struct {
		name, id string
		answer   reply
		want     vendors.TaskState
		gotID    string
	}{
		{"waiting", "restore-1", records(other, record("restore-1", "backup-1", "sluice-0abc", "waiting")), vendors.Running, "restore-1"},
		{"at work", "restore-1", records(record("restore-1", "b", "r", "restoring")), vendors.Running, "restore-1"},
		{"new status", "restore-1", records(record("restore-1", "b", "r", "verifying")), vendors.Running, "restore-1"},
		{"done", "restore-1", records(other, record("restore-1", "b", "r", "succeed")), vendors.Succeeded, "restore-1"},
		{"same record on two pages", "restore-1", records(record("restore-1", "b", "r", "succeed"), record("restore-1", "b", "r", "succeed")), vendors.Succeeded, "restore-1"},
		{"failed", "restore-1", records(other, broken), vendors.Failed, "restore-1"},
		{"not there yet", "restore-1", records(other), vendors.Running, "restore-1"},
		{"none at all", "restore-1", reply{status: 204}, vendors.Running, "restore-1"},
		{"by marker", "", records(other, record("restore-1", "backup-1", "sluice-0abc", "succeed")), vendors.Succeeded, "restore-1"},
		{"marker with another backup", "", records(record("restore-1", "backup-2", "sluice-0abc", "succeed")), vendors.Running, ""},
		{"two with the marker", "", records(record("restore-1", "backup-1", "sluice-0abc", "succeed"), record("restore-2", "backup-1", "sluice-0abc", "failed")), vendors.Running, ""},
		{"look-up fails", "restore-1", fault(500, "DCS.5079"), vendors.Unknown, "restore-1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{getRestores: {c.answer}})
			task := vendors.Task{
				ID: c.id, Operation: vendors.Restore, InstanceID: id, AcceptedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
				State: json.RawMessage(`{"marker":"sluice-0abc","backup":"backup-1"}`),
			}
			got := client(t, account(cloud.url)).Poll(t.Context(), []vendors.Task{task})
			wantStates(t, got, c.want)
			if got[0].Task.ID != c.gotID {
				t.Errorf("task id %q, want %q", got[0].Task.ID, c.gotID)
			}
			if c.want == vendors.Failed && (got[0].Verdict.Reason != "task_failed" || got[0].Verdict.Response.Code != "dcs.08.0002") {
				t.Errorf("verdict %+v", got[0].Verdict)
			}
			if q := cloud.calls[0].query.Encode(); q != "begin_time=20260102020405&limit=100&offset=0" {
				t.Errorf("query %s", q)
			}
		})
	}
}

func TestPollKeepsTheOrder(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{
		get(0): {ok(at(0, "RUNNING"))}, get(1): {ok(at(1, "FROZEN"))}, getRestores: {records(record("restore-1", "b", "r", "succeed"))},
	})
	two := tasks(2)
	restore := vendors.Task{ID: "restore-1", Operation: vendors.Restore, InstanceID: id}
	got := client(t, account(cloud.url)).Poll(t.Context(), []vendors.Task{two[1], restore, two[0]})
	wantStates(t, got, vendors.Failed, vendors.Succeeded, vendors.Succeeded)
	if got := client(t, account(cloud.url)).Poll(t.Context(), nil); len(got) != 0 {
		t.Errorf("no tasks gave %v", got)
	}
}
