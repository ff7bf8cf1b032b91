package tencentcrs

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func info(status string) string { return success(`"data":{"status":` + status + `}`) }

func TestPoll(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, id, answer string
		state            vendors.TaskState
		kind             vendors.Kind
		reason           string
	}{
		{"waits", "1", info("0"), vendors.Running, vendors.Done, ""},
		{"runs", "1", info("1"), vendors.Running, vendors.Done, ""},
		{"succeeded", "1", info("2"), vendors.Succeeded, vendors.Done, ""},
		{"as text", "1", info(`"2"`), vendors.Succeeded, vendors.Done, ""},
		{"as a list", "1", success(`"data":[{"status":2}]`), vendors.Succeeded, vendors.Done, ""},
		{"failed", "1", info("3"), vendors.Failed, vendors.Refused, "task_failed"},
		{"execution error", "1", info("-1"), vendors.Failed, vendors.Refused, "task_failed"},
		{"unknown status", "1", info("7"), vendors.Running, vendors.Done, ""},
		{"no status", "1", success(`"data":{}`), vendors.Unknown, vendors.Transient, "vendor_unavailable"},
		{"list of several", "1", success(`"data":[{"status":2},{"status":2}]`), vendors.Unknown, vendors.Transient, "vendor_unavailable"},
		{"look-up fails", "1", fault("6000", "", ""), vendors.Unknown, vendors.Transient, "vendor_unavailable"},
		{"throttled", "1", fault("4400", "", ""), vendors.Unknown, vendors.Throttled, "quota_exhausted"},
		{"unknown id", "1", fault("11201", "", ""), vendors.Unknown, vendors.Refused, "vendor_refused"},
		{"no number", "x", "", vendors.Unknown, vendors.Refused, "vendor_refused"},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newCloud(t, map[string][]string{actionTask: {x.answer}})
			got := client(t, s.account()).Poll(t.Context(), []vendors.Task{{ID: x.id, Operation: vendors.Flush, InstanceID: instanceID}})
			if len(got) != 1 || got[0].State != x.state || got[0].Task.ID != x.id || got[0].Verdict.Kind != x.kind || got[0].Verdict.Reason != x.reason {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A task whose id was lost is followed by its row, and at the end by the status
// of the instance.
func TestPollByRow(t *testing.T) {
	t.Parallel()
	const (
		since = "2024-05-01 10:00:00"
		ours  = "2024-05-02 10:00:00"
		later = "2024-05-02 11:00:00"
		known = `{"since":"2024-05-01 10:00:00","startTime":"2024-05-02 10:00:00"}`
	)
	cases := []struct {
		name, state, tasks, instances string
		want                          vendors.TaskState
		kind                          vendors.Kind
		reason                        string
	}{
		{"waits", known, tasks(row("cleanInstance", ours, "0")), "", vendors.Running, vendors.Done, ""},
		{"runs", known, tasks(row("cleanInstance", ours, "1")), "", vendors.Running, vendors.Done, ""},
		{"done, instance back", known, tasks(row("cleanInstance", ours, "2")), instances("2"), vendors.Succeeded, vendors.Done, ""},
		{"done, instance isolated since", known, tasks(row("cleanInstance", ours, "2")), instances("-2"), vendors.Succeeded, vendors.Done, ""},
		{"done, instance at work", known, tasks(row("cleanInstance", ours, "2")), instances("1"), vendors.Running, vendors.Done, ""},
		{"done, instance unread", known, tasks(row("cleanInstance", ours, "2")), "504 ", vendors.Unknown, vendors.Transient, "vendor_unavailable"},
		{"failed", known, tasks(row("cleanInstance", ours, "3")), "", vendors.Failed, vendors.Refused, "task_failed"},
		{"execution error", known, tasks(row("cleanInstance", ours, "-1")), "", vendors.Failed, vendors.Refused, "task_failed"},
		{"others do not count", known, tasks(row("cleanInstance", later, "3"), row("restoreBackup", ours, "3"), row("cleanInstance", ours, "1")), "", vendors.Running, vendors.Done, ""},
		{"twins, one runs", known, tasks(row("cleanInstance", ours, "2"), row("cleanInstance", ours, "1")), "", vendors.Running, vendors.Done, ""},
		{"twins that agree", known, tasks(row("cleanInstance", ours, "3"), row("cleanInstance", ours, "3")), "", vendors.Failed, vendors.Refused, "task_failed"},
		{"twins that differ", known, tasks(row("cleanInstance", ours, "3"), row("cleanInstance", ours, "2")), "", vendors.Unknown, vendors.Transient, "vendor_unavailable"},
		{"row is gone", known, tasks(), "", vendors.Unknown, vendors.Transient, "vendor_unavailable"},
		{"list fails", known, fault("4400", "", ""), "", vendors.Unknown, vendors.Throttled, "quota_exhausted"},
		{"nothing remembered", "", tasks(), "", vendors.Unknown, vendors.Refused, "vendor_refused"},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			script := map[string][]string{actionTasks: {x.tasks}}
			if x.instances != "" {
				script[actionInstances] = []string{x.instances}
			}
			s := newCloud(t, script)
			task := vendors.Task{Operation: vendors.Flush, InstanceID: instanceID, State: []byte(x.state)}
			got := client(t, s.account()).Poll(t.Context(), []vendors.Task{task})
			if len(got) != 1 || got[0].State != x.want || got[0].Verdict.Kind != x.kind || got[0].Verdict.Reason != x.reason || string(got[0].Task.State) != x.state {
				t.Errorf("%+v", got)
			}
			for _, h := range s.requests(actionTasks) {
				if h.form.Get("beginTime") != since {
					t.Errorf("asked from %s", h.form.Get("beginTime"))
				}
			}
		})
	}
}
