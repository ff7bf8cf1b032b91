package tencent

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func info(status, message string) string {
	return response(fmt.Sprintf(`"Status":%q,"StartTime":"2024-05-01 10:00:00","TaskType":"redis缓存清空流程","InstanceId":%q,"TaskMessage":%q`, status, instanceID, message))
}

func TestPollOne(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, id, answer string
		state            vendors.TaskState
		kind             vendors.Kind
		reason, message  string
	}{
		{"waits", "1", info("preparing", ""), vendors.Running, vendors.Done, "", ""},
		{"runs", "1", info("running", ""), vendors.Running, vendors.Done, "", ""},
		{"unknown status", "1", info("paused", ""), vendors.Running, vendors.Done, "", ""},
		{"succeeded", "1", info("succeed", "ok"), vendors.Succeeded, vendors.Done, "", ""},
		{"capital", "1", info("Succeed", ""), vendors.Succeeded, vendors.Done, "", ""},
		{"failed", "1", info("failed", "disk full"), vendors.Failed, vendors.Refused, "task_failed", "task 1 of instance crs-5a4py64p failed: disk full"},
		{"failed with our key", "1", info("failed", "bad key "+testKey), vendors.Failed, vendors.Refused, "task_failed", "task 1 of instance crs-5a4py64p failed: bad key [redacted]"},
		{"error with a capital", "1", info("Error", ""), vendors.Failed, vendors.Refused, "task_failed", "task 1 of instance crs-5a4py64p failed: the vendor gives no reason"},
		{"task of another instance", "1", response(`"Status":"succeed","InstanceId":"crs-other"`), vendors.Unknown, vendors.Transient, "vendor_unavailable", "DescribeTaskInfo: the task belongs to another instance"},
		{"no status", "1", response(`"X":1`), vendors.Unknown, vendors.Transient, "vendor_unavailable", "DescribeTaskInfo: the result is no status of a task"},
		{"look-up fails", "1", fault("InternalError", "oops"), vendors.Unknown, vendors.Transient, "vendor_unavailable", "DescribeTaskInfo: HTTP 200: InternalError oops"},
		{"throttled", "1", fault("RequestLimitExceeded", "slow"), vendors.Unknown, vendors.Throttled, "quota_exhausted", "DescribeTaskInfo: HTTP 200: RequestLimitExceeded slow"},
		{"no id", "", "", vendors.Unknown, vendors.Refused, "vendor_refused", "the task has no id that could be asked for"},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newCloud(t, map[string][]string{actionTask: {x.answer}})
			task := vendors.Task{ID: x.id, Operation: vendors.Flush, InstanceID: instanceID}
			got := client(t, s.account()).Poll(t.Context(), []vendors.Task{task})
			if len(got) != 1 || got[0].State != x.state || got[0].Task.ID != x.id || got[0].Verdict.Kind != x.kind || got[0].Verdict.Reason != x.reason || got[0].Verdict.Message != x.message {
				t.Errorf("%+v", got)
			}
			if x.reason == "task_failed" && got[0].Verdict.Response.TaskID != x.id {
				t.Errorf("response %+v", got[0].Verdict.Response)
			}
		})
	}
}

// five are tasks 1 to 5 of our instance, more than are asked for one by one.
func five() []vendors.Task {
	var list []vendors.Task
	for i := range 5 {
		list = append(list, vendors.Task{ID: fmt.Sprint(i + 1), InstanceID: instanceID,
			AcceptedAt: time.Date(2024, 5, 2, 10, 0, 9-i, 0, time.UTC)})
	}
	return list
}

func TestPollMany(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{
		actionTasks: {tasks(
			row("5", "004", "2024-05-02 18:00:00", "2"),
			row(`"4"`, "004", "2024-05-02 18:00:00", "1"),
			row("3", "004", "2024-05-02 18:00:00", "4"),
			row("2", "004", "2024-05-02 18:00:00", "3"),
			row("99", "004", "2024-05-02 18:00:00", "4"),
		)},
		// In the order of the tasks: 1 is not in the list, 2 has an unknown result.
		actionTask: {info("running", ""), info("succeed", ""), info("failed", "disk full")},
	})
	got := client(t, s.account()).Poll(t.Context(), five())
	want := []vendors.TaskState{vendors.Running, vendors.Succeeded, vendors.Failed, vendors.Running, vendors.Succeeded}
	for i, p := range got {
		if p.State != want[i] || p.Task.ID != fmt.Sprint(i+1) {
			t.Errorf("task %d: %+v, want %v", i+1, p, want[i])
		}
	}
	if got[2].Verdict.Response.Message != "disk full" {
		t.Errorf("verdict %+v", got[2].Verdict)
	}
	if lists := s.requests(actionTasks); len(lists) != 1 || string(lists[0].raw) != `{"BeginTime":"2024-05-01 10:00:05","Limit":100,"Offset":0}` {
		t.Errorf("lists %+v", lists)
	}
	if n := len(s.requests(actionTask)); n != 3 {
		t.Errorf("%d single look-ups", n)
	}
}

func TestPollManyFails(t *testing.T) {
	t.Parallel()
	var first []string
	for i := range pageSize {
		first = append(first, row(fmt.Sprint(i+3), "004", "2024-05-02 18:00:00", "2"))
	}
	s := newCloud(t, map[string][]string{actionTasks: {list("Tasks", 200, first...), fault("RequestLimitExceeded", "")}})
	for i, p := range client(t, s.account()).Poll(t.Context(), five()) {
		if i < 2 && (p.State != vendors.Unknown || p.Verdict.Kind != vendors.Throttled) || i >= 2 && p.State != vendors.Succeeded {
			t.Errorf("task %d: %+v", i+1, p)
		}
	}
	if n := len(s.requests(actionTask)); n != 0 {
		t.Errorf("%d single look-ups", n)
	}
}

// More pages than tasks to find would cost more than asking for each.
func TestPollManyGivesTheListUp(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{
		actionTasks: {list("Tasks", 1<<30, row("99", "004", "", "2"))},
		actionTask:  {info("succeed", "")},
	})
	for i, p := range client(t, s.account()).Poll(t.Context(), five()) {
		if p.State != vendors.Succeeded {
			t.Errorf("task %d: %+v", i+1, p)
		}
	}
	if lists, singles := len(s.requests(actionTasks)), len(s.requests(actionTask)); lists != 1 || singles != 5 {
		t.Errorf("%d lists and %d single look-ups", lists, singles)
	}
}

// The list's word that a task failed stands, also if the reason cannot be read.
func TestPollFailedWithoutReason(t *testing.T) {
	t.Parallel()
	var rows []string
	for i := range 5 {
		rows = append(rows, row(fmt.Sprint(i+1), "004", "2024-05-02 18:00:00", "4"))
	}
	s := newCloud(t, map[string][]string{actionTasks: {tasks(rows...)}, actionTask: {"504 "}})
	for i, p := range client(t, s.account()).Poll(t.Context(), five()) {
		if p.State != vendors.Failed || p.Verdict.Reason != "task_failed" {
			t.Errorf("task %d: %+v", i+1, p)
		}
	}
}
