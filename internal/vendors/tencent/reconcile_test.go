package tencent

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestReconcile(t *testing.T) {
	t.Parallel()
	const (
		base  = `{"newest":"2024-05-02 10:00:00","ids":["7"],"total":2}`
		older = "2024-05-01 10:00:00"
		level = "2024-05-02 10:00:00"
		newer = "2024-05-02 10:00:01"
	)
	sent := time.Date(2024, 5, 2, 2, 0, 0, 0, time.UTC)
	known := []string{row("7", "004", level, "2"), row("6", "004", older, "2")}
	with := func(rows ...string) string { return tasks(append(rows, known...)...) }
	patient := vendors.Intent{Baseline: []byte(base), SignedAt: sent, Lapsed: true, LooksClear: 2, ClearSince: time.Now().Add(-2 * time.Minute)}
	early, hasty, broken := patient, patient, patient
	early.Lapsed = false
	hasty.LooksClear = 1
	broken.Baseline = []byte("null")
	first := patient
	first.Baseline = []byte(`{"total":0}`)

	cases := []struct {
		name                   string
		intent                 vendors.Intent
		tasks, instances, info string
		want                   vendors.Conclusion
		clear                  bool
		id, evidence           string
	}{
		{"nothing, patient", patient, with(), instances("2"), "", vendors.NotRun, true, "", "for the 3. time"},
		{"nothing, signature lives", early, with(), instances("2"), "", vendors.Unclear, true, "", "is running"},
		{"nothing, second look", hasty, with(), instances("2"), "", vendors.Unclear, true, "", "is running"},
		{"nothing, instance at work", patient, with(), instances("1"), "", vendors.Unclear, false, "", "status is 1"},
		{"nothing, instance isolated", patient, with(), instances("-2"), "", vendors.Unclear, false, "", "status is -2"},
		{"nothing, instance gone", patient, with(), list("InstanceSet", 0), "", vendors.Unclear, false, "", "it is gone"},
		{"nothing, status unknown", patient, with(), "504 ", "", vendors.Unclear, false, "", "could not be read"},
		{"nothing at all, patient", first, tasks(), instances("2"), "", vendors.NotRun, true, "", ""},

		{"one runs", early, with(row("8", "004", newer, "1")), "", "", vendors.Ran, false, "8", "Task 8 is the only one"},
		{"one waits, without a start", early, with(row("8", "004", "", "0")), "", "", vendors.Ran, false, "8", ""},
		{"one waits, start in the past", early, with(row("8", "004", older, "0")), "", "", vendors.Ran, false, "8", ""},
		{"one with a smaller id", early, with(row("3", "004", newer, "1")), "", "", vendors.Ran, false, "3", ""},
		{"one in the same second", early, with(row("8", "004", level, "1")), "", "", vendors.Ran, false, "8", ""},
		{"one in the same second, done", early, with(row("8", "004", level, "2")), "", "", vendors.RanDone, false, "8", ""},
		{"one by name, id as text", early, with(row(`"8"`, "FLOW_CLEAN", newer, "1")), "", "", vendors.Ran, false, "8", ""},
		{"one with an unknown result", early, with(row("8", "004", newer, "3")), "", "", vendors.Ran, false, "8", ""},
		{"one without a result", early, with(row("8", "004", newer, "null")), "", "", vendors.Ran, false, "8", ""},
		{"one is done", early, with(row("8", "004", newer, "2")), "", "", vendors.RanDone, false, "8", ""},
		{"the first ever is done", first, tasks(row("8", "004", older, "2")), "", "", vendors.RanDone, false, "8", ""},
		{"one failed", early, with(row("8", "004", newer, "4")), "", info("failed", "disk full"), vendors.RanError, false, "8", ""},
		{"one failed, reason unread", early, with(row("8", "004", newer, "4")), "", "504 ", vendors.RanError, false, "8", ""},
		{"one failed, yet is running", early, with(row("8", "004", newer, "4")), "", info("running", ""), vendors.Ran, false, "8", ""},
		{"one without an id", patient, with(row("0", "004", newer, "1")), "", "", vendors.Unclear, false, "", "without a usable id"},
		{"two", patient, with(row("8", "004", newer, "1"), row("9", "004", newer, "2")), "", "", vendors.Several, false, "", "8, 9"},

		{"another kind", patient, with(row("8", "010", newer, "2")), instances("2"), "", vendors.NotRun, true, "", "+1 tasks"},
		{"a database cleared", patient, with(row("8", "025", newer, "2")), "", "", vendors.Unclear, false, "", "may be ours"},
		{"an unheard-of kind", patient, with(row("8", "清空", newer, "2")), "", "", vendors.Unclear, false, "", "may be ours"},
		{"an unheard-of kind, older", patient, with(row("5", "清空", older, "2")), instances("2"), "", vendors.NotRun, true, "", ""},
		{"another instance", patient, with(`{"TaskId":8,"TaskType":"004","InstanceId":"crs-other","StartTime":"` + newer + `","Result":1}`), instances("2"), "", vendors.NotRun, true, "", ""},

		{"list fails", patient, fault("InternalError", ""), "", "", vendors.Unclear, false, "", "could not be read"},
		{"list ends early", patient, list("Tasks", 9), "", "", vendors.Unclear, false, "", "to its end"},
		{"list ends early after one", patient, list("Tasks", 9, row("8", "004", newer, "1")), "", "", vendors.Unclear, false, "", "to its end"},
		{"no baseline", vendors.Intent{Lapsed: true, LooksClear: 9}, with(), "", "", vendors.Unclear, false, "", "baseline"},
		{"baseline null", broken, with(), "", "", vendors.Unclear, false, "", "baseline"},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			script := map[string][]string{actionTasks: {x.tasks}}
			if strings.Contains(x.name, "ends early after one") {
				script[actionTasks] = append(script[actionTasks], list("Tasks", 9))
			}
			if x.instances != "" {
				script[actionInstances] = []string{x.instances}
			}
			if x.info != "" {
				script[actionTask] = []string{x.info}
			}
			s := newCloud(t, script)
			f := client(t, s.account()).Reconcile(t.Context(), flush(), x.intent)
			if f.Conclusion != x.want || f.Clear != x.clear || f.Task.ID != x.id || !strings.Contains(f.Evidence, x.evidence) {
				t.Errorf("%+v", f)
			}
			if f.Task.ID != "" && (!f.Task.AcceptedAt.Equal(sent) || f.Task.Operation != vendors.Flush || f.Task.InstanceID != instanceID) {
				t.Errorf("task %+v", f.Task)
			}
			if f.Conclusion == vendors.RanError && f.Verdict.Reason != "task_failed" {
				t.Errorf("verdict %+v", f.Verdict)
			}
			open := f.Conclusion == vendors.Unclear || f.Conclusion == vendors.Several
			if open != strings.Contains(f.Evidence, "Look in the instance's task list (DescribeTaskList, ") {
				t.Errorf("a person is told: %s", f.Evidence)
			}
			for _, h := range s.requests("") {
				if !Facts().Quotas[h.action].Read {
					t.Errorf("a reconciliation called %s", h.action)
				}
			}
		})
	}
}

// A baseline that Prepare made is the one that Reconcile understands.
func TestPrepareThenReconcile(t *testing.T) {
	t.Parallel()
	before := tasks(row("7", "010", "2024-05-02 10:00:00", "2"))
	after := tasks(row("7", "010", "2024-05-02 10:00:00", "2"), row("8", "FLOW_RESTOREBACKUP", "2024-05-02 10:00:00", "1"))
	s := newCloud(t, map[string][]string{actionInstances: {instances("2")}, actionBackups: {backups("2")}, actionTasks: {before, before, after}})
	c := client(t, s.account())
	base, v := c.Prepare(t.Context(), restore())
	if v.Kind != vendors.Done {
		t.Fatalf("%+v", v)
	}
	if f := c.Reconcile(t.Context(), restore(), vendors.Intent{Baseline: base}); f.Conclusion != vendors.Unclear || !f.Clear {
		t.Errorf("%+v", f)
	}
	if f := c.Reconcile(t.Context(), restore(), vendors.Intent{Baseline: base}); f.Conclusion != vendors.Ran || f.Task.ID != "8" {
		t.Errorf("%+v", f)
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	cases := []struct{ kind, flush, restore string }{
		{"004", "same", "other"}, {"4", "same", "other"}, {"FLOW_CLEAN", "same", "other"}, {"flow_clean", "same", "other"},
		{"010", "other", "same"}, {"10", "other", "same"}, {"FLOW_RESTOREBACKUP", "other", "same"},
		{"025", "perhaps", "other"}, {"FLOW_CLEANDB", "perhaps", "other"},
		{"017", "other", "other"}, {"070", "other", "other"}, {"FLOW_NEW", "other", "other"},
		{"", "perhaps", "perhaps"}, {"redis缓存清空流程", "perhaps", "perhaps"}, {"1234", "perhaps", "perhaps"},
	}
	names := map[likeness]string{other: "other", perhaps: "perhaps", same: "same"}
	for _, x := range cases {
		var r task
		r.Type = "x"
		if err := r.Type.UnmarshalJSON([]byte(`"` + x.kind + `"`)); err != nil {
			t.Fatal(err)
		}
		if f, s := names[r.like(vendors.Flush)], names[r.like(vendors.Restore)]; f != x.flush || s != x.restore {
			t.Errorf("%q is %s to a flush and %s to a restore", x.kind, f, s)
		}
	}
}
