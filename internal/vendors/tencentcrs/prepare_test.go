package tencentcrs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func backups(status string) string {
	return list("redisBackupSet", 2, `{"backupId":"e824aecc-ef5e-11e6-a2c7-525400082493x","status":-1}`,
		fmt.Sprintf(`{"backupId":%q,"status":%s}`, restore().BackupID, status))
}

// at is a time in the API's form, ago before now.
func at(ago time.Duration) string {
	return time.Now().Add(-ago).In(time.FixedZone("", 8*60*60)).Format("2006-01-02 15:04:05")
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	hour, later, old := at(time.Hour), at(time.Minute), at(40*time.Hour)
	cases := []struct {
		name                      string
		req                       vendors.Request
		instances, backups, tasks string
		kind                      vendors.Kind
		reason                    string
		base                      baseline
	}{
		{"fresh instance", flush(), instances("2"), "", tasks(), vendors.Done, "", baseline{}},
		{"status as text", flush(), instances(`"2"`), "", tasks(), vendors.Done, "", baseline{}},
		{"empty list as a list", flush(), instances("2"), "", success(`"totalCount":0,"data":[]`), vendors.Done, "", baseline{}},
		{"baseline", flush(), instances("2"), "", tasks(
			row("cleanInstance", hour, "2"), row("cleanInstance", later, "3"), row("task_cleanInstance", later, "2"), row("backupInstance", at(0), "2"),
		), vendors.Done, "", baseline{Newest: later, AtNewest: 2, Total: 4}},
		{"undated row", flush(), instances("2"), "", tasks(row("cleanInstance", "", "2"), row("cleanInstance", hour, "2")), vendors.Done, "", baseline{Newest: hour, AtNewest: 2, Total: 2}},
		{"rows before the day", flush(), instances("2"), "", tasks(row("cleanInstance", old, "2")), vendors.Done, "", baseline{}},
		{"rows of others", flush(), instances("2"), "", tasks(`{"taskName":"cleanInstance","redisId":"crs-other","startTime":"` + hour + `","status":1}`), vendors.Done, "", baseline{}},
		{"unknown instance", flush(), list("redisSet", 0), "", "", vendors.Refused, "instance_not_found", baseline{}},
		{"unknown instance as error", flush(), fault("10701", "", "InstanceNotExists"), "", "", vendors.Refused, "instance_not_found", baseline{}},
		{"to be initialised", flush(), instances("0"), "", "", vendors.Busy, "instance_busy", baseline{}},
		{"in a flow", flush(), instances("1"), "", "", vendors.Busy, "instance_busy", baseline{}},
		{"unknown status", flush(), instances("3"), "", "", vendors.Busy, "instance_busy", baseline{}},
		{"isolated", flush(), instances("-2"), "", "", vendors.Refused, "instance_state", baseline{}},
		{"to be deleted", flush(), instances("-3"), "", "", vendors.Refused, "instance_state", baseline{}},
		{"no status", flush(), instances("null"), "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"other instance", flush(), list("redisSet", 1, `{"redisId":"crs-other","status":2}`), "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"total without rows", flush(), list("redisSet", 1), "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"no list", flush(), success(`"data":{}`), "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"list of several", flush(), success(`"totalCount":1,"data":[{},{}]`), "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"gateway", flush(), "504 <html>", "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"redirect", flush(), "308 ", "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"internal error", flush(), fault("6000", "", ""), "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"maintenance", flush(), fault("6200", "", ""), "", "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"throttled", flush(), fault("4400", "", ""), "", "", vendors.Throttled, "quota_exhausted", baseline{}},
		{"wrong key", flush(), fault("4100", "", ""), "", "", vendors.Unauthorized, "unauthorized", baseline{}},
		{"task waits", flush(), instances("2"), "", tasks(row("restoreBackup", hour, "0")), vendors.Busy, "instance_busy", baseline{}},
		{"task runs", flush(), instances("2"), "", tasks(row("backupInstance", old, "1")), vendors.Busy, "instance_busy", baseline{}},
		{"tasks fail", flush(), instances("2"), "", fault("5100", "", ""), vendors.Transient, "vendor_unavailable", baseline{}},
		{"tasks are no list", flush(), instances("2"), "", success(`"data":{"redisTaskSet":5},"totalCount":1`), vendors.Transient, "vendor_unavailable", baseline{}},
		{"rows are missing", flush(), instances("2"), "", list("redisTaskSet", 3), vendors.Transient, "vendor_unavailable", baseline{}},

		{"restore", restore(), instances("2"), backups("2"), tasks(row("restoreBackup", hour, "2"), row("cleanInstance", later, "2")),
			vendors.Done, "", baseline{Newest: hour, AtNewest: 1, Total: 2}},
		{"backup exporting", restore(), instances("2"), backups("3"), tasks(), vendors.Done, "", baseline{}},
		{"backup exported", restore(), instances("2"), backups("4"), tasks(), vendors.Done, "", baseline{}},
		{"backup locked", restore(), instances("2"), backups("1"), "", vendors.Busy, "instance_busy", baseline{}},
		{"backup expired", restore(), instances("2"), backups("-1"), "", vendors.Refused, "backup_unusable", baseline{}},
		{"backup deleted", restore(), instances("2"), backups("-2"), "", vendors.Refused, "backup_unusable", baseline{}},
		{"no such backup", restore(), instances("2"), list("redisBackupSet", 1, `{"backupId":"e824aecc","status":2}`), "", vendors.Refused, "backup_not_found", baseline{}},
		{"no backups", restore(), instances("2"), list("redisBackupSet", 0), "", vendors.Refused, "backup_not_found", baseline{}},
		{"backups are not all shown", restore(), instances("2"), list("redisBackupSet", 1), tasks(), vendors.Done, "", baseline{}},
		{"backups fail", restore(), instances("2"), fault("6000", "", ""), "", vendors.Transient, "vendor_unavailable", baseline{}},
		{"restart", vendors.Request{Operation: vendors.Restart, InstanceID: instanceID}, "", "", "", vendors.Refused, "operation_unsupported", baseline{}},
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
			if v.Kind != x.kind || v.Reason != x.reason {
				t.Fatalf("%+v, want %v %s", v, x.kind, x.reason)
			}
			if v.Kind != vendors.Done {
				if v.Message == "" || base != nil {
					t.Errorf("message %q, baseline %s", v.Message, base)
				}
				return
			}
			var got baseline
			if err := json.Unmarshal(base, &got); err != nil || got.Since < at(24*time.Hour+time.Minute) || got.Since > at(24*time.Hour-time.Minute) {
				t.Errorf("baseline %s, %v", base, err)
			}
			if got.Since = ""; got != x.base {
				t.Errorf("baseline %+v, want %+v", got, x.base)
			}
		})
	}
}

func TestPrepareRequests(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range pageSize {
		many = append(many, row("backupInstance", at(time.Duration(i+1)*time.Minute), "2"))
	}
	same := at(time.Second)
	// The first row of the second page is one that shifted from the first; the two
	// that look alike within a page are two.
	rest := []string{many[99], row("restoreBackup", same, "2"), row("restoreBackup", same, "2")}
	s := newCloud(t, map[string][]string{
		actionInstances: {instances("2")},
		actionBackups:   {list("redisBackupSet", 101, strings.Repeat(`{"backupId":"x"},`, 99)+`{"backupId":"x"}`), list("redisBackupSet", 101, fmt.Sprintf(`{"backupId":%q}`, restore().BackupID))},
		actionTasks:     {list("redisTaskSet", 103, many...), list("redisTaskSet", 103, rest...)},
	})
	base, v := client(t, s.account()).Prepare(t.Context(), restore())
	var got baseline
	if err := json.Unmarshal(base, &got); v.Kind != vendors.Done || err != nil || got.Newest != same || got.AtNewest != 2 || got.Total != 102 {
		t.Errorf("%+v with baseline %s", v, base)
	}
	want := []string{
		"DescribeRedis limit=20&offset=0&redisId=crs-izbob1wh",
		"GetRedisBackupList limit=100&offset=0&redisId=crs-izbob1wh",
		"GetRedisBackupList limit=100&offset=100&redisId=crs-izbob1wh",
		"GetRedisTaskList limit=100&offset=0&redisId=crs-izbob1wh",
		"GetRedisTaskList limit=100&offset=100&redisId=crs-izbob1wh",
	}
	for i, h := range s.requests("") {
		if i >= len(want) || h.action+" "+h.own() != want[i] {
			t.Errorf("request %d is %s %s", i, h.action, h.own())
		}
		if h.action == actionTasks && (h.form.Get("beginTime") != got.Since || h.form.Get("endTime") <= at(0)) {
			t.Errorf("request %d asks from %s to %s", i, h.form.Get("beginTime"), h.form.Get("endTime"))
		}
	}
	if n := len(s.requests("")); n != len(want) {
		t.Errorf("%d requests, want %d", n, len(want))
	}
}

// A list that never ends must not be read for ever, nor one without a count be
// taken for whole before it came empty.
func TestPagesEnd(t *testing.T) {
	t.Parallel()
	endless := newCloud(t, map[string][]string{
		actionInstances: {instances("2")},
		actionTasks:     {list("redisTaskSet", 1<<30, row("cleanInstance", at(time.Hour), "2"))},
	})
	if _, v := client(t, endless.account()).Prepare(t.Context(), flush()); v.Kind != vendors.Transient {
		t.Errorf("%+v", v)
	}
	if n := len(endless.requests(actionTasks)); n != maxPages {
		t.Errorf("%d pages", n)
	}
	uncounted := newCloud(t, map[string][]string{
		actionInstances: {instances("2")},
		actionTasks:     {success(`"data":{"redisTaskSet":[` + row("cleanInstance", at(time.Hour), "2") + `]}`), success(`"data":{"redisTaskSet":[]}`)},
	})
	if _, v := client(t, uncounted.account()).Prepare(t.Context(), flush()); v.Kind != vendors.Done {
		t.Errorf("%+v", v)
	}
	if got := uncounted.requests(actionTasks); len(got) != 2 || got[1].form.Get("offset") != "1" {
		t.Errorf("%+v", got)
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
	f := c.Reconcile(t.Context(), flush(), vendors.Intent{Baseline: []byte(`{"since":"2024-05-01 10:00:00","total":0}`)})
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
		list("redisSet", 0):        vendors.Done,
		instances("2"):             vendors.Done,
		success(`"data":{}`):       vendors.Transient,
		fault("4104", "", ""):      vendors.Unauthorized,
		fault(`"4500"`, "old", ""): vendors.Unauthorized,
	} {
		s := newCloud(t, map[string][]string{actionInstances: {answer}})
		if v := client(t, s.account()).Probe(t.Context()); v.Kind != want {
			t.Errorf("%s: %+v", answer, v)
		}
		if got := s.requests(""); len(got) != 1 || got[0].own() != "limit=1&offset=0" {
			t.Errorf("requests %+v", got)
		}
	}
}
