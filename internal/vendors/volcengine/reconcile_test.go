package volcengine

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestReconcile(t *testing.T) {
	t.Parallel()
	signed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	// As ripe as an intent can be: even then nothing shows that it did not run.
	intent := vendors.Intent{SignedAt: signed, Lapsed: true, FirstLook: signed, LooksClear: 99}
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
		if got.Conclusion != c.conclusion || got.Clear != c.clear || got.Evidence == "" {
			t.Errorf("%s at %s: %+v", c.op, c.status, got)
		}
		if c.conclusion == vendors.Ran && (got.Task.Operation != c.op || got.Task.InstanceID != id || !got.Task.AcceptedAt.Equal(signed) || string(got.Task.State) != `{"seenBusy":true}`) {
			t.Errorf("%s at %s: task %+v", c.op, c.status, got.Task)
		}
	}
	cloud := newCloud(t, map[string][]reply{actionDetail: {fault(502, "FailToConnect")}})
	got := client(t, account(cloud.url)).Reconcile(t.Context(), vendors.Request{Operation: vendors.Restart, InstanceID: id}, intent)
	if got.Conclusion != vendors.Unclear || got.Clear || got.Verdict.Kind != vendors.Transient {
		t.Errorf("failed look: %+v", got)
	}
}
