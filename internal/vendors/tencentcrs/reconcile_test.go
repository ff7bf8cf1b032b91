package tencentcrs

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestReconcile(t *testing.T) {
	t.Parallel()
	const (
		base   = `{"since":"2024-05-01 10:00:00","newest":"2024-05-02 10:00:00","atNewest":1,"total":2}`
		before = "2024-05-01 09:00:00"
		older  = "2024-05-01 11:00:00"
		level  = "2024-05-02 10:00:00"
		newer  = "2024-05-02 10:00:01"
	)
	sent := time.Date(2024, 5, 2, 2, 0, 0, 0, time.UTC)
	known := []string{row("cleanInstance", level, "2"), row("cleanInstance", older, "2")}
	plus := func(rows ...string) string { return tasks(append(rows, known...)...) }
	patient := vendors.Intent{Baseline: []byte(base), SignedAt: sent, Lapsed: true, LooksClear: 2, ClearSince: time.Now().Add(-2 * time.Minute)}
	early, hasty, broken := patient, patient, patient
	early.Lapsed = false
	hasty.LooksClear = 1
	broken.Baseline = []byte("null")
	first := patient
	first.Baseline = []byte(`{"since":"2024-05-01 10:00:00","total":0}`)

	cases := []struct {
		name             string
		intent           vendors.Intent
		tasks, instances string
		want             vendors.Conclusion
		clear            bool
		start, evidence  string
	}{
		{"nothing, patient", patient, plus(), instances("2"), vendors.NotRun, true, "", "for the 3. time"},
		{"nothing, signature lives", early, plus(), instances("2"), vendors.Unclear, true, "", "is running"},
		{"nothing, second look", hasty, plus(), instances("2"), vendors.Unclear, true, "", "is running"},
		{"nothing, instance at work", patient, plus(), instances("1"), vendors.Unclear, false, "", "status is 1"},
		{"nothing, instance isolated", patient, plus(), instances("-2"), vendors.Unclear, false, "", "status is -2"},
		{"nothing, instance gone", patient, plus(), list("redisSet", 0), vendors.Unclear, false, "", "it is gone"},
		{"nothing, status unknown", patient, plus(), "504 ", vendors.Unclear, false, "", "could not be read"},
		{"nothing at all, patient", first, tasks(), instances("2"), vendors.NotRun, true, "", ""},
		{"a row from before the list began", first, tasks(row("cleanInstance", before, "2")), instances("2"), vendors.NotRun, true, "", ""},

		{"one runs", early, plus(row("cleanInstance", newer, "1")), "", vendors.Ran, false, newer, "adopted, id unknown"},
		{"one waits, start in the past", early, plus(row("cleanInstance", before, "0")), "", vendors.Ran, false, before, ""},
		{"one in the same second", early, plus(row("cleanInstance", level, "1")), "", vendors.Ran, false, level, ""},
		{"one in the same second, done", early, plus(row("cleanInstance", level, "2")), "", vendors.Ran, false, level, ""},
		{"one with the prefix", early, plus(row("task_cleanInstance", newer, "1")), "", vendors.Ran, false, newer, ""},
		{"one is done", early, plus(row("cleanInstance", newer, "2")), "", vendors.Ran, false, newer, ""},
		{"one failed", early, plus(row("cleanInstance", newer, "3")), "", vendors.Ran, false, newer, ""},
		{"the first ever", first, tasks(row("cleanInstance", older, "2")), "", vendors.Ran, false, older, ""},
		{"one without a start", patient, plus(row("cleanInstance", "", "1")), "", vendors.Unclear, false, "", "without a time"},
		{"one without a start, done", patient, plus(row("cleanInstance", "soon", "2")), "", vendors.Unclear, false, "", "without a time"},
		{"two", patient, plus(row("cleanInstance", newer, "1"), row("cleanInstance", level, "2")), "", vendors.Several, false, "", "2 new tasks"},

		{"another kind", patient, plus(row("backupInstance", newer, "2")), instances("2"), vendors.NotRun, true, "", "+1 tasks"},
		{"an unheard-of kind", patient, plus(row("cleanEverything", newer, "2")), "", vendors.Unclear, false, "", "may be ours"},
		{"an unheard-of kind, older", patient, plus(row("cleanEverything", older, "2")), instances("2"), vendors.NotRun, true, "", ""},
		{"another instance", patient, plus(`{"taskName":"cleanInstance","redisId":"crs-other","startTime":"` + newer + `","status":1}`), instances("2"), vendors.NotRun, true, "", ""},

		{"list fails", patient, fault("6000", "", ""), "", vendors.Unclear, false, "", "could not be read"},
		{"list ends early", patient, list("redisTaskSet", 9), "", vendors.Unclear, false, "", "to its end"},
		{"list ends early after one", patient, list("redisTaskSet", 9, row("cleanInstance", newer, "1")), "", vendors.Unclear, false, "", "to its end"},
		{"no baseline", vendors.Intent{Lapsed: true, LooksClear: 9}, plus(), "", vendors.Unclear, false, "", "baseline"},
		{"baseline null", broken, plus(), "", vendors.Unclear, false, "", "baseline"},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			script := map[string][]string{actionTasks: {x.tasks}}
			if strings.Contains(x.name, "ends early after one") {
				script[actionTasks] = append(script[actionTasks], list("redisTaskSet", 9))
			}
			if x.instances != "" {
				script[actionInstances] = []string{x.instances}
			}
			s := newCloud(t, script)
			f := client(t, s.account()).Reconcile(t.Context(), flush(), x.intent)
			if f.Conclusion != x.want || f.Clear != x.clear || f.Task.ID != "" || !strings.Contains(f.Evidence, x.evidence) {
				t.Errorf("%+v", f)
			}
			state := ""
			if x.start != "" {
				state = `{"since":"2024-05-01 10:00:00","startTime":"` + x.start + `"}`
			}
			if string(f.Task.State) != state {
				t.Errorf("state %s, want %s", f.Task.State, state)
			}
			if f.Conclusion == vendors.Ran && (!f.Task.AcceptedAt.Equal(sent) || f.Task.Operation != vendors.Flush || f.Task.InstanceID != instanceID) {
				t.Errorf("task %+v", f.Task)
			}
			open := f.Conclusion == vendors.Unclear || f.Conclusion == vendors.Several
			if open != strings.Contains(f.Evidence, "Look in the instance's task list (GetRedisTaskList, ") {
				t.Errorf("a person is told: %s", f.Evidence)
			}
			for _, h := range s.requests("") {
				if !Facts().Quotas[h.action].Read || h.action == actionTasks && h.form.Get("beginTime") != "2024-05-01 10:00:00" {
					t.Errorf("a reconciliation called %s from %s", h.action, h.form.Get("beginTime"))
				}
			}
		})
	}
}

// What one step writes, the next understands: baseline, adopted task, end.
func TestPrepareReconcilePoll(t *testing.T) {
	t.Parallel()
	start := at(time.Second)
	s := newCloud(t, map[string][]string{
		actionInstances: {instances("2")},
		actionBackups:   {backups("2")},
		actionTasks:     {tasks(), tasks(), tasks(row("restoreBackup", start, "1")), tasks(row("restoreBackup", start, "2"))},
	})
	c := client(t, s.account())
	base, v := c.Prepare(t.Context(), restore())
	if v.Kind != vendors.Done {
		t.Fatalf("%+v", v)
	}
	intent := vendors.Intent{Baseline: base}
	if f := c.Reconcile(t.Context(), restore(), intent); f.Conclusion != vendors.Unclear || !f.Clear {
		t.Errorf("%+v", f)
	}
	f := c.Reconcile(t.Context(), restore(), intent)
	if f.Conclusion != vendors.Ran {
		t.Fatalf("%+v", f)
	}
	if p := c.Poll(t.Context(), []vendors.Task{f.Task}); p[0].State != vendors.Succeeded {
		t.Errorf("%+v", p)
	}
}
