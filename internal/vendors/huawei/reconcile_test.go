package huawei

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// ripe is an intent of which nothing can take effect any more and for which
// looks found nothing for long.
func ripe() vendors.Intent {
	signed := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	return vendors.Intent{Baseline: vendors.Baseline(`{"status":"RUNNING"}`), SignedAt: signed, Lapsed: true, ClearSince: time.Now().Add(-2 * time.Minute), LooksClear: 2}
}

// tells reports whether a finding that leaves the question open says where a
// person must look, and any other does not.
func tells(f vendors.Finding) bool {
	open := f.Conclusion == vendors.Unclear || f.Conclusion == vendors.Several
	return f.Evidence != "" && open == strings.Contains(f.Evidence, "Look in Cloud Trace Service (CTS, service DCS) for the trace ")
}

func TestReconcileByStatus(t *testing.T) {
	t.Parallel()
	cases := []struct {
		op                 vendors.Operation
		base, status, more string
		conclusion         vendors.Conclusion
		clear              bool
	}{
		{vendors.Restart, "RUNNING", "RESTARTING", ``, vendors.Ran, false},
		{vendors.SoftRestart, "RUNNING", "RESTARTING", ``, vendors.Ran, false},
		{vendors.Restart, "RUNNING", "RUNNING", `,"task":{"id":1}`, vendors.Ran, false},
		{vendors.Restart, "RUNNING", "RUNNING", `,"task":null`, vendors.Unclear, true},
		{vendors.Restart, "ERROR", "ERROR", ``, vendors.Unclear, true},
		{vendors.Restart, "RUNNING", "ERROR", ``, vendors.Unclear, false},
		{vendors.Restart, "RUNNING", "EXTENDING", ``, vendors.Unclear, false},
		{vendors.Restart, "RUNNING", "FLUSHING", ``, vendors.Unclear, false},
		{vendors.Flush, "RUNNING", "FLUSHING", ``, vendors.Ran, false},
		{vendors.Flush, "RUNNING", "RESTARTING", ``, vendors.Unclear, false},
		{vendors.Flush, "RUNNING", "RUNNING", `,"task":{}`, vendors.Unclear, false},
		{vendors.Flush, "RUNNING", "RUNNING", ``, vendors.Unclear, true},
	}
	for _, c := range cases {
		cloud := newCloud(t, map[string][]reply{getInstance: {shown(c.status, c.more)}})
		intent := ripe()
		intent.Baseline = vendors.Baseline(fmt.Sprintf(`{"status":%q}`, c.base))
		got := client(t, account(cloud.url)).Reconcile(t.Context(), request(c.op), intent)
		if got.Conclusion != c.conclusion || got.Clear != c.clear || !tells(got) {
			t.Errorf("%s at %s%s: %+v", c.op, c.status, c.more, got)
		}
		if c.conclusion == vendors.Ran && (got.Task.Operation != c.op || got.Task.InstanceID != id || !got.Task.AcceptedAt.Equal(intent.SignedAt) || string(got.Task.State) != `{"seenBusy":true}`) {
			t.Errorf("%s at %s: task %+v", c.op, c.status, got.Task)
		}
	}
}

func TestReconcileByRecord(t *testing.T) {
	t.Parallel()
	mine := func(n int, status string) string {
		return record(fmt.Sprintf("restore-%d", n), "backup-1", "sluice-0abc", status)
	}
	cases := []struct {
		name       string
		answer     reply
		conclusion vendors.Conclusion
		taskID     string
	}{
		{"waiting", records(mine(1, "waiting")), vendors.Ran, "restore-1"},
		{"at work", records(record("restore-0", "backup-1", "other", "failed"), mine(1, "restoring")), vendors.Ran, "restore-1"},
		{"new status", records(mine(1, "verifying")), vendors.Ran, "restore-1"},
		{"done", records(mine(1, "succeed")), vendors.RanDone, "restore-1"},
		{"failed", records(mine(1, "failed")), vendors.RanError, "restore-1"},
		{"twice the same", records(mine(1, "succeed"), mine(1, "succeed")), vendors.RanDone, "restore-1"},
		{"two", records(mine(1, "succeed"), mine(2, "succeed")), vendors.Several, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{getRestores: {c.answer}})
			intent := ripe()
			got := client(t, account(cloud.url)).Reconcile(t.Context(), request(vendors.Restore), intent)
			if got.Conclusion != c.conclusion || got.Task.ID != c.taskID || !tells(got) || got.Clear {
				t.Errorf("finding %+v", got)
			}
			if c.taskID != "" && (got.Task.Operation != vendors.Restore || got.Task.InstanceID != id || !got.Task.AcceptedAt.Equal(intent.SignedAt)) {
				t.Errorf("task %+v", got.Task)
			}
			if (c.conclusion == vendors.RanError) != (got.Verdict.Reason == "task_failed") {
				t.Errorf("verdict %+v", got.Verdict)
			}
			cloud.wantCalls(t, getRestores)
		})
	}
}

func TestReconcileWithoutARecord(t *testing.T) {
	t.Parallel()
	others := records(record("restore-1", "backup-2", "sluice-0abc", "succeed"), record("restore-2", "backup-1", "sluice-other", "succeed"))
	idle := shown("RUNNING", ``)
	same := func(*vendors.Intent) {}
	cases := []struct {
		name       string
		records    reply
		instance   reply
		change     func(*vendors.Intent)
		marker     string
		conclusion vendors.Conclusion
		clear      bool
	}{
		{"ripe", others, idle, same, "sluice-0abc", vendors.NotRun, true},
		{"ripe, no records at all", reply{status: 204}, idle, same, "sluice-0abc", vendors.NotRun, true},
		{"signature still lives", others, idle, func(i *vendors.Intent) { i.Lapsed = false }, "sluice-0abc", vendors.Unclear, true},
		{"one look before", others, idle, func(i *vendors.Intent) { i.LooksClear = 1 }, "sluice-0abc", vendors.Unclear, true},
		{"looks of one minute", others, idle, func(i *vendors.Intent) { i.ClearSince = time.Now().Add(-30 * time.Second) }, "sluice-0abc", vendors.Unclear, true},
		{"first clear look unknown", others, idle, func(i *vendors.Intent) { i.ClearSince = time.Time{} }, "sluice-0abc", vendors.Unclear, true},
		{"instance restoring", others, shown("RESTORING", ``), same, "sluice-0abc", vendors.Unclear, false},
		{"instance with a task", others, shown("RUNNING", `,"task":{}`), same, "sluice-0abc", vendors.Unclear, false},
		{"instance faulty", others, shown("ERROR", ``), same, "sluice-0abc", vendors.Unclear, false},
		{"no marker to look for", others, idle, same, "", vendors.Unclear, false},
		{"list without rows", ok(`{"total_num":3}`), idle, same, "sluice-0abc", vendors.Unclear, false},
		{"empty answer", ok(``), idle, same, "sluice-0abc", vendors.Unclear, false},
		{"list that breaks off", ok(`{"total_num":3,"restore_record_response":[]}`), idle, same, "sluice-0abc", vendors.Unclear, false},
		{"records cannot be read", fault(500, "DCS.5079"), idle, same, "sluice-0abc", vendors.Unclear, false},
		{"instance cannot be read", others, fault(500, "DCS.5024"), same, "sluice-0abc", vendors.Unclear, false},
		{"instance gone", others, fault(404, "DCS.3022"), same, "sluice-0abc", vendors.Unclear, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{getRestores: {c.records}, getInstance: {c.instance}})
			intent := ripe()
			c.change(&intent)
			req := request(vendors.Restore)
			req.Marker = c.marker
			got := client(t, account(cloud.url)).Reconcile(t.Context(), req, intent)
			if got.Conclusion != c.conclusion || got.Clear != c.clear || !tells(got) {
				t.Errorf("finding %+v", got)
			}
		})
	}
}

func TestReconcileAsPatientAsTheAccountSays(t *testing.T) {
	t.Parallel()
	for patience, want := range map[time.Duration]vendors.Conclusion{0: vendors.NotRun, time.Hour: vendors.Unclear, time.Second: vendors.NotRun} {
		cloud := newCloud(t, map[string][]reply{getRestores: {{status: 204}}, getInstance: {shown("RUNNING", ``)}})
		a := account(cloud.url)
		a.Patience = patience
		if got := client(t, a).Reconcile(t.Context(), request(vendors.Restore), ripe()); got.Conclusion != want {
			t.Errorf("patience %v: %+v", patience, got)
		}
	}
}

func TestReconcileWithoutABaseline(t *testing.T) {
	t.Parallel()
	intent := ripe()
	intent.Baseline = nil
	cloud := newCloud(t, map[string][]reply{getInstance: {shown("RESTARTING", ``)}})
	if got := client(t, account(cloud.url)).Reconcile(t.Context(), request(vendors.Restart), intent); got.Conclusion != vendors.Unclear || !tells(got) {
		t.Errorf("%+v", got)
	}
}
