package volcengine

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestPrepareByStatus(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		kind   vendors.Kind
		reason string
	}{
		"Running":   {vendors.Done, ""},
		"Upgrading": {vendors.Busy, "instance_busy"}, "Restarting": {vendors.Busy, "instance_busy"}, "NewStatus": {vendors.Busy, "instance_busy"},
		"CreateFailed": {vendors.Refused, "instance_state"}, "TaskFailed": {vendors.Refused, "instance_state"},
		"Deleting": {vendors.Refused, "instance_state"}, "Closing": {vendors.Refused, "instance_state"}, "Released": {vendors.Refused, "instance_state"},
	}
	for status, want := range cases {
		for _, op := range []vendors.Operation{vendors.Restart, vendors.Flush} {
			cloud := newCloud(t, map[string][]reply{actionDetail: {described(status)}})
			base, v := client(t, account(cloud.url)).Prepare(t.Context(), vendors.Request{Operation: op, InstanceID: id})
			wantVerdict(t, v, want.kind, want.reason)
			if v.Response.RequestID != "req-1" || (v.Kind == vendors.Done) != (base != nil) {
				t.Errorf("%s %s: response %+v, baseline %s", op, status, v.Response, base)
			}
			cloud.wantActions(t, actionDetail)
		}
	}
}

func TestPrepareRestore(t *testing.T) {
	t.Parallel()
	backups := func(rows string) reply { return ok(actionBackups, `{"Total":1,"Backups":[`+rows+`]}`) }
	row := func(backupID, status string) string {
		return fmt.Sprintf(`{"BackupPointId":%q,"InstanceId":%q,"Status":%q,"Size":12}`, backupID, id, status)
	}
	window := ok(actionWindow, `{"StartTime":"2026-01-01T00:00:00Z","EndTime":"2026-01-02T00:00Z"}`)
	at := func(s string) vendors.Request {
		moment, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return vendors.Request{Operation: vendors.Restore, InstanceID: id, TimePoint: moment}
	}
	byBackup := vendors.Request{Operation: vendors.Restore, InstanceID: id, BackupID: "b-1"}
	standalone := ok(actionDetail, fmt.Sprintf(`{"InstanceId":%q,"Status":"Running","InstanceClass":"Standalone"}`, id))
	cases := []struct {
		name         string
		req          vendors.Request
		detail, next reply
		kind         vendors.Kind
		reason       string
	}{
		{"available", byBackup, described("Running"), backups(row("b-12", "Creating") + "," + row("b-1", "Available")), vendors.Done, ""},
		{"only a similar id", byBackup, described("Running"), backups(row("b-12", "Available")), vendors.Refused, "backup_not_found"},
		{"of another instance", byBackup, described("Running"), backups(`{"BackupPointId":"b-1","InstanceId":"other","Status":"Available"}`), vendors.Refused, "backup_not_found"},
		{"none", byBackup, described("Running"), ok(actionBackups, `{"Total":0}`), vendors.Refused, "backup_not_found"},
		{"creating", byBackup, described("Running"), backups(row("b-1", "Creating")), vendors.Refused, "backup_unusable"},
		{"new status", byBackup, described("Running"), backups(row("b-1", "Frozen")), vendors.Refused, "backup_unusable"},
		{"no list", byBackup, described("Running"), ok(actionBackups, `{}`), vendors.Transient, "vendor_unavailable"},
		{"throttled", byBackup, described("Running"), fault(400, "AccountFlowLimitExceeded"), vendors.Throttled, "quota_exhausted"},
		{"standalone", byBackup, standalone, reply{}, vendors.Refused, "operation_unsupported"},
		{"inside the window", at("2026-01-01T12:00:00Z"), described("Running"), window, vendors.Done, ""},
		{"at its start", at("2026-01-01T00:00:00Z"), described("Running"), window, vendors.Done, ""},
		{"at its end", at("2026-01-02T08:00:00.9+08:00"), described("Running"), window, vendors.Done, ""},
		{"before it", at("2025-12-31T23:59:59Z"), described("Running"), window, vendors.Refused, "backup_unusable"},
		{"after it", at("2026-01-02T00:00:01Z"), described("Running"), window, vendors.Refused, "backup_unusable"},
		{"window look-up not offered", at("2020-01-01T00:00:00Z"), described("Running"), fault(404, "InvalidActionOrVersion"), vendors.Done, ""},
		{"no window", at("2020-01-01T00:00:00Z"), described("Running"), ok(actionWindow, `{"StartTime":"","EndTime":null}`), vendors.Done, ""},
		{"window look-up fails", at("2026-01-01T12:00:00Z"), described("Running"), fault(500, "InternalError"), vendors.Transient, "vendor_unavailable"},
		{"window look-up forbidden", at("2026-01-01T12:00:00Z"), described("Running"), fault(403, "AccessDenied"), vendors.Unauthorized, "unauthorized"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{actionDetail: {c.detail}, actionBackups: {c.next}, actionWindow: {c.next}})
			_, v := client(t, account(cloud.url)).Prepare(t.Context(), c.req)
			wantVerdict(t, v, c.kind, c.reason)
		})
	}
}

func TestPrepareWithoutACall(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, nil)
	for _, req := range []vendors.Request{
		{Operation: vendors.SoftRestart, InstanceID: id},
		{Operation: vendors.Restore, InstanceID: id},
		{Operation: vendors.Restore, InstanceID: id, BackupID: "b-1", TimePoint: time.Now()},
	} {
		_, v := client(t, account(cloud.url)).Prepare(t.Context(), req)
		wantVerdict(t, v, vendors.Refused, "operation_unsupported")
		wantVerdict(t, client(t, account(cloud.url)).Execute(t.Context(), req, nil, committed), vendors.Refused, "operation_unsupported")
	}
	cloud.wantActions(t)
}

func TestPrepareOnStrangeDetails(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]string{
		"null": `null`, "list": `[]`, "no status": `{"InstanceId":"` + id + `"}`, "another instance": `{"InstanceId":"other","Status":"Running"}`,
	} {
		cloud := newCloud(t, map[string][]reply{actionDetail: {ok(actionDetail, result)}})
		_, v := client(t, account(cloud.url)).Prepare(t.Context(), vendors.Request{Operation: vendors.Restart, InstanceID: id})
		if wantVerdict(t, v, vendors.Transient, "vendor_unavailable"); t.Failed() {
			t.Errorf("result: %s", name)
		}
	}
	cloud := newCloud(t, map[string][]reply{actionDetail: {fault(400, "InstanceNotExist")}})
	_, v := client(t, account(cloud.url)).Prepare(t.Context(), vendors.Request{Operation: vendors.Restart, InstanceID: id})
	wantVerdict(t, v, vendors.Refused, "instance_not_found")
	if v.Response.Code != "InstanceNotExist" || v.Response.Message != "the vendor's words" || v.Response.RequestID != "req-2" || v.Response.HTTPStatus != 400 {
		t.Errorf("response %+v", v.Response)
	}
}
