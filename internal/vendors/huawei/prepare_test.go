package huawei

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func request(op vendors.Operation) vendors.Request {
	req := vendors.Request{Operation: op, InstanceID: id, ClientToken: "t", Marker: "sluice-0abc"}
	if op == vendors.Restore {
		req.BackupID = "backup-1"
	}
	return req
}

func TestPrepareByStatus(t *testing.T) {
	t.Parallel()
	cases := []struct {
		op           vendors.Operation
		status, more string
		kind         vendors.Kind
		reason       string
	}{
		{vendors.Restart, "RUNNING", ``, vendors.Done, ""},
		{vendors.Restart, "RUNNING", `,"task":null`, vendors.Done, ""},
		{vendors.SoftRestart, "RUNNING", `,"task":null`, vendors.Done, ""},
		{vendors.Restart, "RUNNING", `,"task":{}`, vendors.Busy, "instance_busy"},
		{vendors.Flush, "RUNNING", `,"task":{"name":"EXTEND"}`, vendors.Busy, "instance_busy"},
		{vendors.Restart, "ERROR", ``, vendors.Done, ""},
		{vendors.SoftRestart, "ERROR", ``, vendors.Done, ""},
		{vendors.Restart, "ERROR", `,"task":"x"`, vendors.Busy, "instance_busy"},
		{vendors.Flush, "ERROR", ``, vendors.Refused, "instance_state"},
		{vendors.Restore, "ERROR", ``, vendors.Refused, "instance_state"},
		{vendors.Restart, "FROZEN", ``, vendors.Refused, "instance_state"},
		{vendors.Restart, "CLOSED", ``, vendors.Refused, "instance_state"},
		{vendors.Restart, "DELETING", `,"task":{}`, vendors.Refused, "instance_state"},
		{vendors.Restart, "DELETED", ``, vendors.Refused, "instance_state"},
		{vendors.Restart, "CREATEFAILED", ``, vendors.Refused, "instance_state"},
		{vendors.Restart, "RESTARTING", ``, vendors.Busy, "instance_busy"},
		{vendors.Restart, "CLOSING", ``, vendors.Busy, "instance_busy"},
		{vendors.Restart, "SLEEPING", ``, vendors.Busy, "instance_busy"},
		{vendors.Flush, "RUNNING", `,"engine_version":"3.0.7"`, vendors.Refused, "operation_unsupported"},
		{vendors.Flush, "EXTENDING", `,"engine_version":3.0`, vendors.Refused, "operation_unsupported"},
		{vendors.Restart, "RUNNING", `,"engine_version":"3.0"`, vendors.Done, ""},
		{vendors.Flush, "RUNNING", `,"engine_version":"4.0"`, vendors.Done, ""},
		{vendors.Flush, "RUNNING", `,"engine_version":"6.0.16"`, vendors.Done, ""},
		{vendors.Flush, "RUNNING", `,"engine_version":"newest"`, vendors.Done, ""},
		{vendors.Restore, "RUNNING", `,"cache_mode":"single"`, vendors.Refused, "operation_unsupported"},
	}
	for _, c := range cases {
		cloud := newCloud(t, map[string][]reply{getInstance: {shown(c.status, c.more)}})
		base, v := client(t, account(cloud.url)).Prepare(t.Context(), request(c.op))
		if wantVerdict(t, v, c.kind, c.reason); t.Failed() {
			t.Fatalf("%s at %s%s", c.op, c.status, c.more)
		}
		if v.Response.RequestID != "req-1" || (v.Kind == vendors.Done) != strings.Contains(string(base), `"status":"`+c.status+`"`) {
			t.Errorf("%s at %s: response %+v, baseline %s", c.op, c.status, v.Response, base)
		}
		cloud.wantCalls(t, getInstance)
	}
}

func TestPrepareRestore(t *testing.T) {
	t.Parallel()
	row := func(backupID, status, more string) string {
		return fmt.Sprintf(`{"backup_id":%q,"instance_id":%q,"status":%q,"size":"12"%s}`, backupID, id, status, more)
	}
	page := func(total int, rows ...string) reply {
		return ok(fmt.Sprintf(`{"total_num":%d,"backup_record_response":[%s]}`, total, strings.Join(rows, ",")))
	}
	good := row("backup-1", "succeed", `,"is_support_restore":"TRUE"`)
	other := row("backup-2", "succeed", ``)
	cases := []struct {
		name   string
		pages  []reply
		kind   vendors.Kind
		reason string
	}{
		{"usable", []reply{page(2, other, good)}, vendors.Done, ""},
		{"does not say whether restorable", []reply{page(1, row("backup-1", "succeed", ``))}, vendors.Done, ""},
		{"on the second page", []reply{page(2, other), page(2, good)}, vendors.Done, ""},
		{"total as a string", []reply{ok(`{"total_num":"1","backup_record_response":[` + good + `]}`)}, vendors.Done, ""},
		{"none", []reply{{status: 204}}, vendors.Refused, "backup_not_found"},
		{"empty list", []reply{page(0)}, vendors.Refused, "backup_not_found"},
		{"null list of none", []reply{ok(`{"total_num":0,"backup_record_response":null}`)}, vendors.Refused, "backup_not_found"},
		{"others only", []reply{page(1, other)}, vendors.Refused, "backup_not_found"},
		{"others only, without a total", []reply{ok(`{"backup_record_response":[` + other + `]}`), ok(`{"backup_record_response":[]}`)}, vendors.Refused, "backup_not_found"},
		{"of another instance", []reply{page(1, `{"backup_id":"backup-1","instance_id":"x","status":"succeed"}`)}, vendors.Refused, "backup_not_found"},
		{"at work", []reply{page(1, row("backup-1", "backuping", ``))}, vendors.Refused, "backup_unusable"},
		{"expired", []reply{page(1, row("backup-1", "expired", ``))}, vendors.Refused, "backup_unusable"},
		{"not restorable", []reply{page(1, row("backup-1", "succeed", `,"is_support_restore":"FALSE"`))}, vendors.Refused, "backup_unusable"},
		{"not restorable, as a bool", []reply{page(1, row("backup-1", "succeed", `,"is_support_restore":false`))}, vendors.Refused, "backup_unusable"},
		{"list breaks off", []reply{page(3, other), page(3)}, vendors.Transient, "vendor_unavailable"},
		{"list without rows", []reply{ok(`{"total_num":1}`)}, vendors.Transient, "vendor_unavailable"},
		{"empty answer", []reply{ok(``)}, vendors.Transient, "vendor_unavailable"},
		{"empty object", []reply{ok(`{}`)}, vendors.Transient, "vendor_unavailable"},
		{"rows that are none", []reply{ok(`{"total_num":1,"backup_record_response":[1]}`)}, vendors.Transient, "vendor_unavailable"},
		{"throttled", []reply{fault(429, "APIGW.0308")}, vendors.Throttled, "quota_exhausted"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{getInstance: {shown("RUNNING", `,"cache_mode":"ha"`)}, getBackups: c.pages})
			_, v := client(t, account(cloud.url)).Prepare(t.Context(), request(vendors.Restore))
			wantVerdict(t, v, c.kind, c.reason)
			for i, r := range cloud.calls[1:] {
				if r.query.Get("limit") != "100" || r.query.Get("offset") != strconv.Itoa(i) {
					t.Errorf("page %d was asked for with %v", i, r.query)
				}
			}
		})
	}
}

func TestBackupListThatNeverEnds(t *testing.T) {
	t.Parallel()
	endless := ok(`{"total_num":1000000,"backup_record_response":[{"backup_id":"x"}]}`)
	cloud := newCloud(t, map[string][]reply{getInstance: {shown("RUNNING", ``)}, getBackups: {endless}})
	_, v := client(t, account(cloud.url)).Prepare(t.Context(), request(vendors.Restore))
	wantVerdict(t, v, vendors.Transient, "vendor_unavailable")
	if n := len(cloud.calls); n != maxPages+1 {
		t.Errorf("%d calls, want %d", n, maxPages+1)
	}
}

func TestPrepareWithoutACall(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, nil)
	cases := []struct {
		req    vendors.Request
		reason string
	}{
		{vendors.Request{Operation: "resize", InstanceID: id}, "operation_unsupported"},
		{vendors.Request{Operation: vendors.Restore, InstanceID: id, TimePoint: time.Now()}, "operation_unsupported"},
		{vendors.Request{Operation: vendors.Restart, InstanceID: "../status"}, "instance_not_found"},
		{vendors.Request{Operation: vendors.Restore, InstanceID: "a/b", BackupID: "x"}, "instance_not_found"},
		{vendors.Request{Operation: vendors.Restart, InstanceID: ".."}, "instance_not_found"},
		{vendors.Request{Operation: vendors.Restart, InstanceID: "a?b"}, "instance_not_found"},
		{vendors.Request{Operation: vendors.Restart, InstanceID: ""}, "instance_not_found"},
	}
	c := client(t, account(cloud.url))
	for _, k := range cases {
		_, v := c.Prepare(t.Context(), k.req)
		wantVerdict(t, v, vendors.Refused, k.reason)
		wantVerdict(t, c.Execute(t.Context(), k.req, nil, committed), vendors.Refused, k.reason)
	}
	for _, op := range []vendors.Operation{vendors.Restart, vendors.Restore} {
		wantVerdict(t, c.Poll(t.Context(), []vendors.Task{{Operation: op, InstanceID: "a/b"}})[0].Verdict, vendors.Refused, "instance_not_found")
		wantVerdict(t, c.Reconcile(t.Context(), vendors.Request{Operation: op, InstanceID: "a/b"}, vendors.Intent{}).Verdict, vendors.Refused, "instance_not_found")
	}
	cloud.wantCalls(t)
}

func TestPrepareOnStrangeAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer reply
		kind   vendors.Kind
		reason string
	}{
		"empty":            {ok(``), vendors.Transient, "vendor_unavailable"},
		"204":              {reply{status: 204}, vendors.Transient, "vendor_unavailable"},
		"null":             {ok(`null`), vendors.Transient, "vendor_unavailable"},
		"no status":        {ok(`{"instance_id":"` + id + `"}`), vendors.Transient, "vendor_unavailable"},
		"another instance": {ok(`{"instance_id":"x","status":"RUNNING"}`), vendors.Transient, "vendor_unavailable"},
		"redirect":         {reply{status: 302, header: map[string]string{"Location": "/"}}, vendors.Transient, "vendor_unavailable"},
		"not found":        {fault(404, "DCS.3022"), vendors.Refused, "instance_not_found"},
		"legacy code":      {reply{status: 404, body: `{"error_code":111404022,"error_msg":"gone"}`}, vendors.Refused, "instance_not_found"},
		"old envelope":     {reply{status: 401, body: `{"error":{"code":"DCS. 1002","message":"expired"}}`}, vendors.Unauthorized, "unauthorized"},
	} {
		cloud := newCloud(t, map[string][]reply{getInstance: {c.answer}})
		_, v := client(t, account(cloud.url)).Prepare(t.Context(), request(vendors.Restart))
		if wantVerdict(t, v, c.kind, c.reason); t.Failed() {
			t.Fatalf("answer: %s", name)
		}
		if v.Response.HTTPStatus != c.answer.status || v.Response.RequestID != "req-1" {
			t.Errorf("%s: response %+v", name, v.Response)
		}
	}
}
