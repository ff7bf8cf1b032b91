package huawei

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestAdvanceByTheList(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cases := []struct {
		name, state     string
		age             time.Duration
		status          string
		working, listed bool
		want            vendors.TaskState
		memory          string
	}{
		{"listed ready after work, too soon", `{"seenBusy":true,"readySince":"2026-01-02T03:04:03.001Z"}`, time.Hour, "RUNNING", false, true, vendors.Running, `{"seenBusy":true,"readySince":"2026-01-02T03:04:03.001Z"}`},
		{"shown ready after work, as soon", `{"seenBusy":true,"readySince":"2026-01-02T03:04:03.001Z"}`, time.Hour, "RUNNING", false, false, vendors.Succeeded, `{"seenBusy":true,"readySince":"2026-01-02T03:04:03.001Z"}`},
		{"listed ready after work, long enough", `{"seenBusy":true,"readySince":"2026-01-02T03:04:03Z"}`, time.Hour, "RUNNING", false, true, vendors.Succeeded, `{"seenBusy":true,"readySince":"2026-01-02T03:04:03Z"}`},
		{"listed ready, work never seen", `{"readySince":"2026-01-02T03:04:00Z"}`, settle - time.Millisecond, "RUNNING", false, true, vendors.Running, `{"readySince":"2026-01-02T03:04:00Z"}`},
		{"listed ready for long, work never seen", `{"readySince":"2026-01-02T03:04:00Z"}`, settle, "RUNNING", false, true, vendors.Succeeded, `{"readySince":"2026-01-02T03:04:00Z"}`},
		{"task of which nobody knows whose it is", `{"taskUnknown":true}`, time.Hour, "RUNNING", true, false, vendors.Running, `{"otherAt":"2026-01-02T03:04:05Z","taskUnknown":true}`},
		{"ready soon after it", `{"taskUnknown":true,"readySince":"2026-01-02T03:04:00Z","otherAt":"2026-01-02T03:03:59Z"}`, time.Hour, "RUNNING", false, false, vendors.Running, `{"readySince":"2026-01-02T03:04:00Z","otherAt":"2026-01-02T03:03:59Z","taskUnknown":true}`},
		{"status of our work", `{"taskUnknown":true}`, time.Hour, "RESTARTING", true, false, vendors.Running, `{"seenBusy":true,"taskUnknown":true}`},
	}
	for _, c := range cases {
		task := vendors.Task{Operation: vendors.Restart, InstanceID: id, AcceptedAt: now.Add(-c.age), State: json.RawMessage(c.state)}
		p := advance(task, sight{status: c.status, working: c.working, listed: c.listed, verdict: vendors.Verdict{Kind: vendors.Done}}, now)
		if p.State != c.want || string(p.Task.State) != c.memory {
			t.Errorf("%s: state %d with memory %s, want %d with %s", c.name, p.State, p.Task.State, c.want, c.memory)
		}
	}
}

// fleet is n instances of one status in a list, and what ShowInstance says of each.
func fleet(n int, status string, one func(i int) reply) map[string][]reply {
	var rows []string
	replies := map[string][]reply{}
	for i := range n {
		rows = append(rows, at(i, status))
		replies[get(i)] = []reply{one(i)}
	}
	replies[getInstances] = []reply{listed(n, rows...)}
	return replies
}

// counted gives the calls of each kind.
func (c *cloud) counted() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for _, r := range c.calls {
		switch {
		case r.call == getInstances:
			n["list"]++
		case strings.HasSuffix(r.call, "/restores"):
			n["records"]++
		default:
			n["show"]++
		}
	}
	return n
}

func wantCounted(t *testing.T, c *cloud, list, show, records int) {
	t.Helper()
	if n := c.counted(); n["list"] != list || n["show"] != show || n["records"] != records {
		t.Errorf("calls %v, want %d lists, %d shows and %d of records", n, list, show, records)
	}
}

// Hundreds that are ready at once cost a list and a few look-ups. Those for which no
// look-up was left are over by the list, if it has shown them ready for longer.
func TestPollOfManyThatAreReady(t *testing.T) {
	t.Parallel()
	const n = 300
	cloud := newCloud(t, fleet(n, "RUNNING", func(i int) reply { return ok(at(i, "RUNNING")) }))
	c := client(t, account(cloud.url))
	all := tasks(n)
	for i := range all {
		if i%2 == 1 {
			// Ready for long enough by two look-ups, not by a list.
			all[i].State = memory{SeenBusy: true, ReadySince: time.Now().Add(-apart)}.encode()
		}
	}
	over := map[vendors.TaskState]int{}
	for i, p := range c.Poll(t.Context(), all) {
		over[p.State]++
		if i%2 == 0 && p.State != vendors.Succeeded {
			t.Errorf("task %d is in state %d", i, p.State)
		}
	}
	if over[vendors.Succeeded] < n/2 || over[vendors.Succeeded] > n/2+singles || over[vendors.Running] != n-over[vendors.Succeeded] {
		t.Errorf("states %v", over)
	}
	wantCounted(t, cloud, 1, singles, 0)
}

// One that has just become ready is not looked up: nothing would follow from it.
func TestPollOfManyThatAreReadyForTheFirstTime(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, fleet(50, "RUNNING", func(i int) reply { return ok(at(i, "RUNNING")) }))
	all := tasks(50)
	for i := range all {
		all[i].State = json.RawMessage(`{"seenBusy":true}`)
	}
	for i, p := range client(t, account(cloud.url)).Poll(t.Context(), all) {
		if p.State != vendors.Running || recall(p.Task).ReadySince.IsZero() {
			t.Errorf("task %d: %+v", i, p)
		}
	}
	wantCounted(t, cloud, 1, 0, 0)
}

// A fault is taken for the end only by a look-up, which also tells of the task. Each
// gets one, after a few polls.
func TestPollOfManyFaults(t *testing.T) {
	t.Parallel()
	const n = 4*singles - 1
	cloud := newCloud(t, fleet(n, "ERROR", func(i int) reply { return ok(at(i, "ERROR")) }))
	c, left := client(t, account(cloud.url)), tasks(n)
	for round := 1; round <= 4; round++ {
		var still []vendors.Task
		for i, p := range c.Poll(t.Context(), left) {
			switch p.State {
			case vendors.Failed:
			case vendors.Unknown:
				wantVerdict(t, p.Verdict, vendors.Transient, "vendor_unavailable")
				still = append(still, left[i])
			default:
				t.Errorf("task %d is in state %d", i, p.State)
			}
		}
		if want := max(n-round*singles, 0); len(still) != want {
			t.Errorf("%d are left after %d polls, want %d", len(still), round, want)
		}
		left = still
	}
}

// Instances that the list does not show never keep others from being asked about.
func TestPollOfManyThatAreGone(t *testing.T) {
	t.Parallel()
	const n = 3 * singles
	replies := fleet(n, "RUNNING", func(int) reply { return fault(404, "DCS.3022") })
	replies[getInstances] = []reply{{status: 204}}
	cloud := newCloud(t, replies)
	c := client(t, account(cloud.url))
	for range 6 {
		for i, p := range c.Poll(t.Context(), tasks(n)) {
			if p.State != vendors.Unknown {
				t.Errorf("task %d is in state %d", i, p.State)
			}
		}
	}
	asked := map[string]int{}
	for _, r := range cloud.calls {
		asked[r.call]++
	}
	for i := range n {
		if asked[get(i)] != 2 {
			t.Errorf("instance %d was asked about %d times in two rounds", i, asked[get(i)])
		}
	}
}

func TestPollOfManyRestores(t *testing.T) {
	t.Parallel()
	const n = 3 * singles
	var rows []string
	replies := map[string][]reply{}
	var all []vendors.Task
	for i := range n {
		status := map[bool]string{true: "RESTORING", false: "RUNNING"}[i < singles]
		rows = append(rows, at(i, status))
		replies[get(i)+"/restores"] = []reply{records(record("restore-1", "b", "r", "succeed"))}
		all = append(all, vendors.Task{ID: "restore-1", Operation: vendors.Restore, InstanceID: fmt.Sprintf("i-%d", i)})
	}
	replies[getInstances] = []reply{listed(n, rows...)}
	cloud := newCloud(t, replies)
	c := client(t, account(cloud.url))
	over := map[string]bool{}
	for round := 1; round <= 2; round++ {
		var left []vendors.Task
		for i, p := range c.Poll(t.Context(), all) {
			switch {
			case p.State == vendors.Succeeded:
				over[p.Task.InstanceID] = true
				continue
			case p.State != vendors.Running && p.State != vendors.Unknown, p.Task.InstanceID != all[i].InstanceID:
				t.Errorf("task %d: %+v", i, p)
			}
			left = append(left, all[i])
		}
		if len(over) != round*singles {
			t.Errorf("%d are over after %d polls", len(over), round)
		}
		all = left
		wantCounted(t, cloud, round, 0, round*singles)
	}
}
