package tencent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func backups(status string) string {
	return list("BackupSet", 2, `{"BackupId":"154572601-1165734321-153731245x","Status":-2}`,
		fmt.Sprintf(`{"BackupId":%q,"Status":%s}`, restore().BackupID, status))
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                      string
		req                       vendors.Request
		instances, backups, tasks string
		kind                      vendors.Kind
		reason                    string
		base                      string
	}{
		{"fresh instance", flush(), instances("2"), "", tasks(), vendors.Done, "", `{"total":0}`},
		{"number as text", flush(), instances(`"2"`), "", tasks(), vendors.Done, "", `{"total":0}`},
		{"empty list as null", flush(), instances("2"), "", response(`"TotalCount":0,"Tasks":null`), vendors.Done, "", `{"total":0}`},
		{"baseline", flush(), instances("2"), "", tasks(
			row("5", "004", "2024-05-01 10:00:00", "2"),
			row(`"7"`, "004", "2024-05-02 10:00:00", "4"),
			row("6", "FLOW_CLEAN", "2024-05-02 10:00:00", "2"),
			row("9", "010", "2024-05-03 10:00:00", "2"),
			row("8", "4", "", "2"),
		), vendors.Done, "", `{"newest":"2024-05-02 10:00:00","ids":["7","6","8"],"total":5}`},
		{"rows of others", flush(), instances("2"), "", tasks(`{"TaskId":1,"TaskType":"004","InstanceId":"crs-other","StartTime":"2024-05-01 10:00:00","Result":1}`),
			vendors.Done, "", `{"total":0}`},
		{"unknown instance", flush(), list("InstanceSet", 0), "", "", vendors.Refused, "instance_not_found", ""},
		{"unknown instance as null", flush(), response(`"TotalCount":0,"InstanceSet":null`), "", "", vendors.Refused, "instance_not_found", ""},
		{"unknown instance as error", flush(), fault("ResourceNotFound.InstanceNotExists", ""), "", "", vendors.Refused, "instance_not_found", ""},
		{"to be initialised", flush(), instances("0"), "", "", vendors.Busy, "instance_busy", ""},
		{"in process", flush(), instances("1"), "", "", vendors.Busy, "instance_busy", ""},
		{"unknown status", flush(), instances("3"), "", "", vendors.Busy, "instance_busy", ""},
		{"isolated", flush(), instances("-2"), "", "", vendors.Refused, "instance_state", ""},
		{"to be deleted", flush(), instances("-3"), "", "", vendors.Refused, "instance_state", ""},
		{"deleted", flush(), instances("-4"), "", "", vendors.Refused, "instance_state", ""},
		{"no status", flush(), instances("null"), "", "", vendors.Transient, "vendor_unavailable", ""},
		{"other instance", flush(), list("InstanceSet", 1, `{"InstanceId":"crs-other","Status":2}`), "", "", vendors.Transient, "vendor_unavailable", ""},
		{"total without rows", flush(), list("InstanceSet", 1), "", "", vendors.Transient, "vendor_unavailable", ""},
		{"no list", flush(), response(`"X":1`), "", "", vendors.Transient, "vendor_unavailable", ""},
		{"gateway", flush(), "504 <html>", "", "", vendors.Transient, "vendor_unavailable", ""},
		{"redirect", flush(), "308 ", "", "", vendors.Transient, "vendor_unavailable", ""},
		{"internal error", flush(), fault("InternalError.DbOperationFailed", ""), "", "", vendors.Transient, "vendor_unavailable", ""},
		{"throttled", flush(), fault("RequestLimitExceeded", ""), "", "", vendors.Throttled, "quota_exhausted", ""},
		{"wrong key", flush(), fault("AuthFailure.SignatureFailure", ""), "", "", vendors.Unauthorized, "unauthorized", ""},
		{"task waits", flush(), instances("2"), "", tasks(row("1", "010", "2024-05-01 10:00:00", "0")), vendors.Busy, "instance_busy", ""},
		{"task runs", flush(), instances("2"), "", tasks(row("1", "017", "2024-05-01 10:00:00", "1")), vendors.Busy, "instance_busy", ""},
		{"tasks fail", flush(), instances("2"), "", fault("FailedOperation.SystemError", ""), vendors.Transient, "vendor_unavailable", ""},
		{"tasks are no list", flush(), instances("2"), "", response(`"Tasks":5,"TotalCount":1`), vendors.Transient, "vendor_unavailable", ""},
		{"rows are missing", flush(), instances("2"), "", list("Tasks", 3), vendors.Transient, "vendor_unavailable", ""},

		{"restore", restore(), instances("2"), backups("2"), tasks(row("3", "010", "2024-05-01 10:00:00", "2"), row("4", "004", "2024-05-02 10:00:00", "2")),
			vendors.Done, "", `{"newest":"2024-05-01 10:00:00","ids":["3"],"total":2}`},
		{"backup exporting", restore(), instances("2"), backups("3"), tasks(), vendors.Done, "", `{"total":0}`},
		{"backup exported", restore(), instances("2"), backups("4"), tasks(), vendors.Done, "", `{"total":0}`},
		{"backup locked", restore(), instances("2"), backups("1"), "", vendors.Busy, "instance_busy", ""},
		{"backup expired", restore(), instances("2"), backups("-1"), "", vendors.Refused, "backup_unusable", ""},
		{"backup deleted", restore(), instances("2"), backups("-2"), "", vendors.Refused, "backup_unusable", ""},
		{"no such backup", restore(), instances("2"), list("BackupSet", 1, `{"BackupId":"154572601","Status":2}`), "", vendors.Refused, "backup_not_found", ""},
		{"no backups", restore(), instances("2"), list("BackupSet", 0), "", vendors.Refused, "backup_not_found", ""},
		{"backups are not all shown", restore(), instances("2"), list("BackupSet", 1), tasks(), vendors.Done, "", `{"total":0}`},
		{"backups fail", restore(), instances("2"), fault("InternalError", ""), "", vendors.Transient, "vendor_unavailable", ""},
		{"restart", vendors.Request{Operation: vendors.Restart, InstanceID: instanceID}, "", "", "", vendors.Refused, "operation_unsupported", ""},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			script := map[string][]string{}
			for action, answer := range map[string]string{actionInstances: x.instances, actionBackups: x.backups, actionTasks: x.tasks} {
				if answer != "" {
					script[action] = []string{answer}
				}
			}
			s := newCloud(t, script)
			base, v := client(t, s.account()).Prepare(t.Context(), x.req)
			if v.Kind != x.kind || v.Reason != x.reason || string(base) != x.base {
				t.Errorf("%+v with baseline %s, want %v %s with %s", v, base, x.kind, x.reason, x.base)
			}
			if v.Kind != vendors.Done && v.Message == "" {
				t.Error("no message")
			}
		})
	}
}

func TestPrepareRequests(t *testing.T) {
	t.Parallel()
	var many, rest []string
	for i := range pageSize {
		many = append(many, row(fmt.Sprint(i+1), "017", "2024-05-01 10:00:00", "2"))
	}
	// One row shifted from the first page to the second.
	rest = append(rest, row("100", "017", "2024-05-01 10:00:00", "2"), row("101", "010", "2024-04-01 10:00:00", "2"))
	s := newCloud(t, map[string][]string{
		actionInstances: {instances("2")},
		actionBackups:   {list("BackupSet", 101, strings.Repeat(`{"BackupId":"x"},`, 99)+`{"BackupId":"x"}`), list("BackupSet", 101, fmt.Sprintf(`{"BackupId":%q}`, restore().BackupID))},
		actionTasks:     {list("Tasks", 102, many...), list("Tasks", 102, rest...)},
	})
	base, v := client(t, s.account()).Prepare(t.Context(), restore())
	if v.Kind != vendors.Done || string(base) != `{"newest":"2024-04-01 10:00:00","ids":["101"],"total":101}` {
		t.Errorf("%+v with baseline %s", v, base)
	}
	want := []string{
		`DescribeInstances {"InstanceIds":["crs-5a4py64p"],"Limit":20,"Offset":0}`,
		`DescribeInstanceBackups {"InstanceId":"crs-5a4py64p","Limit":100,"Offset":0}`,
		`DescribeInstanceBackups {"InstanceId":"crs-5a4py64p","Limit":100,"Offset":100}`,
		`DescribeTaskList {"InstanceId":"crs-5a4py64p","Limit":100,"Offset":0}`,
		`DescribeTaskList {"InstanceId":"crs-5a4py64p","Limit":100,"Offset":100}`,
	}
	for i, h := range s.requests("") {
		if i >= len(want) || h.action+" "+string(h.raw) != want[i] {
			t.Errorf("request %d is %s %s", i, h.action, h.raw)
		}
	}
	if n := len(s.requests("")); n != len(want) {
		t.Errorf("%d requests, want %d", n, len(want))
	}
}

// A list that never ends must not be read for ever.
func TestPagesEnd(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{
		actionInstances: {instances("2")},
		actionTasks:     {list("Tasks", 1<<30, row("1", "004", "2024-05-01 10:00:00", "2"))},
	})
	if _, v := client(t, s.account()).Prepare(t.Context(), flush()); v.Kind != vendors.Transient {
		t.Errorf("%+v", v)
	}
	if n := len(s.requests(actionTasks)); n != maxPages {
		t.Errorf("%d pages", n)
	}
}

func TestPermitComesFirst(t *testing.T) {
	t.Parallel()
	s := newCloud(t, nil)
	a := s.account()
	a.Permit = func(context.Context, string) error { return errors.New("breaker open") }
	c := client(t, a)
	_, v := c.Prepare(t.Context(), flush())
	p := c.Poll(t.Context(), []vendors.Task{{ID: "1", InstanceID: instanceID}})
	f := c.Reconcile(t.Context(), flush(), vendors.Intent{Baseline: []byte(`{"total":0}`)})
	for _, v := range []vendors.Verdict{v, p[0].Verdict, f.Verdict, c.Probe(t.Context())} {
		if v.Kind != vendors.Transient || v.Reason != "vendor_unavailable" || !strings.Contains(v.Message, "breaker open") {
			t.Errorf("%+v", v)
		}
	}
	if p[0].State != vendors.Unknown || f.Conclusion != vendors.Unclear || f.Clear {
		t.Errorf("%+v, %+v", p, f)
	}
	if n := len(s.requests("")); n != 0 || len(s.steps) != 0 {
		t.Errorf("%d requests, steps %v", n, s.steps)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]vendors.Kind{
		list("InstanceSet", 0): vendors.Done,
		instances("2"):         vendors.Done,
		response(`"X":1`):      vendors.Transient,
		fault("AuthFailure.SecretIdNotFound", "bad"): vendors.Unauthorized,
	} {
		s := newCloud(t, map[string][]string{actionInstances: {answer}})
		if v := client(t, s.account()).Probe(t.Context()); v.Kind != want {
			t.Errorf("%s: %+v", answer, v)
		}
		if got := s.requests(""); len(got) != 1 || string(got[0].raw) != `{"Limit":1,"Offset":0}` {
			t.Errorf("requests %+v", got)
		}
	}
}
