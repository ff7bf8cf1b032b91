package volcengine

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestReconcile(t *testing.T) {
	t.Parallel()
	signed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	// As ripe as an intent can be: even then nothing shows that it did not run.
	intent := vendors.Intent{
		Baseline: vendors.Baseline(`{"status":"Running","at":"2026-01-02T03:04:04Z"}`), SignedAt: signed,
		Lapsed: true, ClearSince: signed, LooksClear: 99,
	}
	cases := []struct {
		op         vendors.Operation
		status     string
		conclusion vendors.Conclusion
		clear      bool
	}{
		{vendors.Restart, "Restarting", vendors.Ran, false},
		{vendors.Restore, "Restoring", vendors.Ran, false},
		{vendors.Restart, "Restoring", vendors.Unclear, false},
		{vendors.Restore, "Restarting", vendors.Unclear, false},
		{vendors.Flush, "Restarting", vendors.Unclear, false},
		{vendors.Restart, "TaskFailed", vendors.Unclear, false},
		{vendors.Restart, "Sleeping", vendors.Unclear, false},
		{vendors.Restart, "Running", vendors.Unclear, true},
		{vendors.Restore, "Running", vendors.Unclear, true},
		{vendors.Flush, "Running", vendors.Unclear, true},
	}
	for _, c := range cases {
		cloud := newCloud(t, map[string][]reply{actionDetail: {described(c.status)}})
		got := client(t, account(cloud.url)).Reconcile(t.Context(), vendors.Request{Operation: c.op, InstanceID: id}, intent)
		// What was compared, what was found and, if it proves nothing, where to look.
		told := strings.HasPrefix(got.Evidence, "Instance "+id+" was Running at 2026-01-02T03:04:04Z, before the call, and is "+c.status+" now") &&
			(c.conclusion == vendors.Ran || strings.Contains(got.Evidence, "CloudTrail (LookupEvents) for "+Facts().Actions[c.op]+" on "+id+" from 2026-01-02T03:04:05Z on"))
		if got.Conclusion != c.conclusion || got.Clear != c.clear || !told {
			t.Errorf("%s at %s: %+v", c.op, c.status, got)
		}
		if c.conclusion == vendors.Ran && (got.Task.Operation != c.op || got.Task.InstanceID != id || !got.Task.AcceptedAt.Equal(signed) || string(got.Task.State) != `{"seenBusy":true}`) {
			t.Errorf("%s at %s: task %+v", c.op, c.status, got.Task)
		}
	}
	cloud := newCloud(t, map[string][]reply{actionDetail: {described("Restarting")}})
	got := client(t, account(cloud.url)).Reconcile(t.Context(), vendors.Request{Operation: vendors.Restart, InstanceID: id}, vendors.Intent{SignedAt: signed})
	if got.Conclusion != vendors.Unclear || !strings.Contains(got.Evidence, "nothing to compare with") {
		t.Errorf("no baseline: %+v", got)
	}
	cloud = newCloud(t, map[string][]reply{actionDetail: {fault(502, "FailToConnect")}})
	got = client(t, account(cloud.url)).Reconcile(t.Context(), vendors.Request{Operation: vendors.Restart, InstanceID: id}, intent)
	if got.Conclusion != vendors.Unclear || got.Clear || got.Verdict.Kind != vendors.Transient || !strings.Contains(got.Evidence, "FailToConnect") {
		t.Errorf("failed look: %+v", got)
	}
}
