package tencent

import (
	"fmt"
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// numbered are n tasks of our instance.
func numbered(n int) []vendors.Task {
	var list []vendors.Task
	for i := range n {
		list = append(list, vendors.Task{ID: fmt.Sprint(i + 1), Operation: vendors.Flush, InstanceID: instanceID})
	}
	return list
}

// Tasks that the list does not tell enough of cost a bounded number of look-ups in
// each poll, and each has its turn.
func TestPollOfManyThatFailed(t *testing.T) {
	t.Parallel()
	const n = 3*singles - 5
	var rows []string
	for i := range n {
		rows = append(rows, row(fmt.Sprint(i+1), "004", "2024-05-02 18:00:00", "4"))
	}
	s := newCloud(t, map[string][]string{actionTasks: {tasks(rows...)}, actionTask: {info("failed", "disk full")}})
	c, left := client(t, s.account()), numbered(n)
	for round := 1; round <= 3; round++ {
		var still []vendors.Task
		for i, p := range c.Poll(t.Context(), left) {
			switch {
			case p.State == vendors.Failed && p.Task.ID == left[i].ID && p.Verdict.Response.Message == "disk full":
			case p.State == vendors.Unknown && p.Verdict.Kind == vendors.Transient && p.Verdict.Message != "":
				still = append(still, left[i])
			default:
				t.Errorf("task %d: %+v", i, p)
			}
		}
		if want := max(n-round*singles, 0); len(still) != want {
			t.Errorf("%d are left after %d polls, want %d", len(still), round, want)
		}
		left = still
	}
	if lists, infos := len(s.requests(actionTasks)), len(s.requests(actionTask)); lists != 3 || infos != n {
		t.Errorf("%d lists and %d look-ups", lists, infos)
	}
}

// Those that stay unknown do not keep the others from their turn.
func TestPollOfManyThatAreNotListed(t *testing.T) {
	t.Parallel()
	const n = 2 * singles
	s := newCloud(t, map[string][]string{actionTasks: {list("Tasks", 0)}, actionTask: {fault("InvalidParameter.InvalidParameter", "")}})
	c := client(t, s.account())
	for range 4 {
		for i, p := range c.Poll(t.Context(), numbered(n)) {
			if p.State != vendors.Unknown {
				t.Errorf("task %d: %+v", i, p)
			}
		}
	}
	asked := map[string]int{}
	for _, h := range s.requests(actionTask) {
		asked[fmt.Sprint(h.body["TaskId"])]++
	}
	for i := range n {
		if got := asked[fmt.Sprint(i+1)]; got != 2 {
			t.Errorf("task %d was asked for %d times in two rounds", i+1, got)
		}
	}
}

// The list is read as long as it has no more pages left than there are tasks to find.
func TestPollReadsTheListWhereItIsWorthIt(t *testing.T) {
	t.Parallel()
	page := func(from int) string {
		var rows []string
		for i := range pageSize {
			rows = append(rows, row(fmt.Sprint(from+i), "004", "2024-05-02 18:00:00", "2"))
		}
		return list("Tasks", 5*pageSize, rows...)
	}
	for missing, want := range map[int]int{1: 3, 2: 5} {
		s := newCloud(t, map[string][]string{actionTasks: {page(1001), page(2001), page(301), page(3001)}, actionTask: {info("running", "")}})
		all := numbered(400)[394:] // all on the third page
		for i := range missing {
			all[i].ID = fmt.Sprint(9001 + i)
		}
		for i, p := range client(t, s.account()).Poll(t.Context(), all) {
			if state := map[bool]vendors.TaskState{true: vendors.Running, false: vendors.Succeeded}[i < missing]; p.State != state {
				t.Errorf("task %s: %+v", p.Task.ID, p)
			}
		}
		// Two pages are left after the third.
		if lists, infos := len(s.requests(actionTasks)), len(s.requests(actionTask)); lists != want || infos != missing {
			t.Errorf("%d missing: %d lists and %d look-ups", missing, lists, infos)
		}
	}
}
