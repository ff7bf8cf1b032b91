package emulator

import (
	"strconv"
	"testing"
	"time"
)

const tcID = "crs-5a4py64p"

func TestTencentOperations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		action, code, text string
		body               obj
		op                 Operation
		takes              time.Duration
	}{
		{"RestoreInstance", "010", "redis恢复备份流程", obj{"BackupId": "678362566696298532848117", "Password": "pass"}, Restore, 3 * time.Second},
		{"ClearInstance", "004", "redis缓存清空流程", obj{}, Flush, time.Second},
		{"ManualBackupInstance", "012", "redis备份流程", obj{"Remark": "mark", "StorageDays": 7}, Backup, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{})
			tt.body["InstanceId"] = tcID
			r := c.tc(tt.action, tt.body).wantStatus(200).wantCode("ok")
			id, ok := r.at("Response.TaskId").(float64)
			if !ok || r.text("Response.RequestId") == "" {
				t.Fatalf("answer %s", r.body)
			}
			info := func() reply { return c.tc("DescribeTaskInfo", obj{"TaskId": int64(id)}) }
			info().want("Response.Status", "running").want("Response.TaskType", tt.text).want("Response.InstanceId", tcID).
				want("Response.StartTime", "2026-01-02 11:04:05").want("Response.TaskMessage", "")
			c.tc("DescribeInstances", obj{"InstanceId": tcID}).want("Response.InstanceSet.0.Status", "1")
			c.tc("DescribeTaskList", obj{"InstanceId": tcID}).want("Response.Tasks.0.Result", "1").want("Response.Tasks.0.Progress", "0.5")
			c.tc("ClearInstance", obj{"InstanceId": tcID}).wantStatus(200).wantCode("ResourceUnavailable.InstanceLockedError")
			c.clock.advance(tt.takes)
			info().want("Response.Status", "succeed")
			c.tc("DescribeInstances", obj{"InstanceId": tcID}).want("Response.InstanceSet.0.Status", "2").want("Response.TotalCount", "1")
			c.tc("DescribeTaskList", obj{"InstanceId": tcID, "TaskTypes": []string{tt.code}, "BeginTime": "2026-01-02 11:04:05"}).
				want("Response.TotalCount", "1").want("Response.Tasks.0.TaskType", tt.code).want("Response.Tasks.0.Result", "2").
				want("Response.Tasks.0.TaskId", strconv.Itoa(int(id))).want("Response.Tasks.0.StartTime", "2026-01-02 11:04:05")
			if call := c.s.Calls(Filter{})[0]; call.Operation != tt.op || !call.Effect || call.Region != "ap-guangzhou" {
				t.Errorf("recorded %+v", call)
			}
		})
	}
}

func TestTencentErrors(t *testing.T) {
	t.Parallel()
	restore := func(more obj) obj {
		out := obj{"InstanceId": tcID, "BackupId": "123456"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	tests := []struct {
		name, action string
		body         any
		code         string
	}{
		{"unknown action", "RestartInstance", obj{}, "InvalidAction"},
		{"not JSON", "ClearInstance", "x", "InvalidRequest"},
		{"extra field", "ClearInstance", obj{"InstanceId": tcID, "ClientToken": "t"}, "UnknownParameter"},
		{"case of a field", "ClearInstance", obj{"instanceId": tcID}, "UnknownParameter"},
		{"missing field", "RestoreInstance", obj{"InstanceId": tcID}, "MissingParameter"},
		{"wrong type", "ClearInstance", obj{"InstanceId": 5}, "InvalidParameter"},
		{"task id as text", "DescribeTaskInfo", obj{"TaskId": "6954227"}, "InvalidParameter"},
		{"unknown task", "DescribeTaskInfo", obj{"TaskId": 1}, "InvalidParameter.InvalidParameter"},
		{"missing instance", "ClearInstance", obj{"InstanceId": "crs-missing1"}, "ResourceNotFound.InstanceNotExists"},
		{"wrong password", "ClearInstance", obj{"InstanceId": tcID, "Password": "wrong-one"}, "InvalidParameterValue.PasswordError"},
		{"wrong password, restore", "RestoreInstance", restore(obj{"Password": "wrong-one"}), "InvalidParameterValue.PasswordError"},
		{"missing backup", "RestoreInstance", restore(obj{"BackupId": "missing-1"}), "InvalidParameterValue.BackupNotExists"},
		{"expired backup", "RestoreInstance", restore(obj{"BackupId": "expired-0001"}), "ResourceUnavailable.BackupStatusAbnormal"},
		{"storage days", "ManualBackupInstance", obj{"InstanceId": tcID, "StorageDays": 2000}, "InvalidParameter.InvalidParameter"},
		{"limit", "DescribeTaskList", obj{"Limit": 101}, "InvalidParameterValue"},
		{"offset", "DescribeInstances", obj{"Limit": 10, "Offset": 5}, "InvalidParameterValue"},
		{"time", "DescribeTaskList", obj{"BeginTime": "today"}, "InvalidParameterValue"},
		{"backups of a missing instance", "DescribeInstanceBackups", obj{"InstanceId": "crs-missing1"}, "ResourceNotFound.InstanceNotExists"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{})
			r := c.tc(tt.action, tt.body).wantStatus(200).wantCode(tt.code)
			if r.text("Response.RequestId") == "" || r.text("Response.Error.Message") == "" {
				t.Errorf("answer %s", r.body)
			}
			if n := c.s.Effects().Total("", ""); n != 0 {
				t.Errorf("%d effects", n)
			}
		})
	}
}

func TestTencentStatesAndPasswords(t *testing.T) {
	t.Parallel()
	clear := func(c InstanceSettings, password string) string {
		cl := newClient(t, Options{})
		if err := cl.s.SetInstance(Tencent, tcID, c); err != nil {
			t.Fatal(err)
		}
		return cl.tc("ClearInstance", obj{"InstanceId": tcID, "Password": password}).code()
	}
	tests := []struct {
		conf     InstanceSettings
		password string
		code     string
	}{
		{InstanceSettings{Status: "-2"}, "p", "ResourceUnavailable.InstanceStatusAbnormal"},
		{InstanceSettings{Status: "-3"}, "p", "ResourceUnavailable.InstanceStatusAbnormal"},
		{InstanceSettings{Status: "0"}, "p", "ResourceUnavailable.InstanceStateError"},
		{InstanceSettings{Status: "1"}, "p", "ResourceUnavailable.InstanceLockedError"},
		{InstanceSettings{PasswordRequired: true}, "", "InvalidParameterValue.PasswordEmpty"},
		{InstanceSettings{PasswordRequired: true}, "right", "ok"},
		{InstanceSettings{NoPassword: true}, "wrong", "ok"},
		{InstanceSettings{Missing: true}, "p", "ResourceNotFound.InstanceNotExists"},
	}
	for _, tt := range tests {
		if got := clear(tt.conf, tt.password); got != tt.code {
			t.Errorf("%+v password %q: got %s, want %s", tt.conf, tt.password, got, tt.code)
		}
	}
}

func TestTencentFailuresAndQuirks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		quirks         Quirks
		busy, end, crs string
	}{
		{Quirks{}, "running", "failed", "3"},
		{Quirks{TaskError: true, TencentStatus: "capital"}, "Running", "Error", "-1"},
		{Quirks{StatusLag: time.Minute}, "preparing", "failed", "3"},
	}
	for _, tt := range tests {
		c := newClient(t, Options{Quirks: tt.quirks})
		id := c.tc("ClearInstance", obj{"InstanceId": "crs-fails001"}).at("Response.TaskId")
		c.tc("DescribeTaskInfo", obj{"TaskId": id}).want("Response.Status", tt.busy)
		c.clock.advance(2 * time.Minute)
		r := c.tc("DescribeTaskInfo", obj{"TaskId": id}).want("Response.Status", tt.end)
		if r.text("Response.TaskMessage") == "" {
			t.Errorf("no reason in %s", r.body)
		}
		c.tc("DescribeTaskList", obj{"Result": []int{4}}).want("Response.TotalCount", "1")
		c.tc("DescribeInstances", obj{"InstanceId": "crs-fails001"}).want("Response.InstanceSet.0.Status", "2")
		c.crs("DescribeTaskInfo", "requestId", strconv.Itoa(int(id.(float64)))).want("data.status", tt.crs)
	}
	c := newClient(t, Options{Quirks: Quirks{TencentTaskID: "string", RowLag: time.Minute}})
	if id, ok := c.tc("ClearInstance", obj{"InstanceId": tcID}).at("Response.TaskId").(string); !ok || id == "" {
		t.Errorf("task id %v is no string", id)
	}
	c.tc("DescribeTaskList", obj{}).want("Response.TotalCount", "0")
	c.clock.advance(time.Minute)
	c.tc("DescribeTaskList", obj{"TaskTypes": []string{"FLOW_CLEAN"}}).want("Response.TotalCount", "1")
}

func TestTencentLists(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, id := range []string{"crs-cccc0001", "crs-aaaa0001", "crs-bbbb0001"} {
		c.tc("DescribeInstances", obj{"InstanceId": id})
	}
	c.tc("ClearInstance", obj{"InstanceId": "crs-bbbb0001"})
	c.tc("DescribeInstances", obj{}).want("Response.TotalCount", "3").want("Response.InstanceSet.0.InstanceId", "crs-aaaa0001")
	c.tc("DescribeInstances", obj{"Limit": 2, "Offset": 2}).want("Response.InstanceSet.0.InstanceId", "crs-cccc0001")
	c.tc("DescribeInstances", obj{"Status": []int{1}}).want("Response.TotalCount", "1")
	c.tc("DescribeInstances", obj{"InstanceIds": []string{"crs-aaaa0001", "crs-missing1", "crs-new00001"}}).want("Response.TotalCount", "2")
	c.tc("DescribeInstances", obj{"InstanceId": "crs-missing1"}).wantCode("ok").want("Response.TotalCount", "0")
	c.tc("DescribeInstanceBackups", obj{"InstanceId": tcID}).want("Response.TotalCount", "2").
		want("Response.BackupSet.0.BackupId", "678362566696298532848117").want("Response.BackupSet.0.Status", "2").want("Response.BackupSet.1.Status", "-1")
	c.tc("ManualBackupInstance", obj{"InstanceId": tcID, "Remark": "mark"}).wantCode("ok")
	r := c.tc("DescribeInstanceBackups", obj{"InstanceId": tcID}).want("Response.BackupSet.0.Status", "1").want("Response.BackupSet.0.Remark", "mark").
		want("Response.BackupSet.0.BackupType", "0")
	c.clock.advance(time.Second)
	c.tc("RestoreInstance", obj{"InstanceId": tcID, "BackupId": r.text("Response.BackupSet.0.BackupId")}).wantCode("ok")
}

// TestTencentWaitingBackupLocks tries work before the backup shows anywhere.
func TestTencentWaitingBackupLocks(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{StatusLag: time.Minute}})
	c.tc("ManualBackupInstance", obj{"InstanceId": tcID}).wantCode("ok")
	c.tc("DescribeInstances", obj{"InstanceId": tcID}).want("Response.InstanceSet.0.Status", "2")
	c.tc("ClearInstance", obj{"InstanceId": tcID}).wantCode("ResourceUnavailable.InstanceLockedError")
	c.crs("ClearRedis", "redisId", tcID, "password", "p").wantCode("10707")
}

// TestTencentSharesItsStore asks each generation of the API about the other's
// work.
func TestTencentSharesItsStore(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.crs("ClearRedis", "redisId", tcID, "password", "Pass1word").wantCode("ok")
	c.tc("DescribeTaskList", obj{}).want("Response.Tasks.0.InstanceId", tcID).want("Response.Tasks.0.TaskType", "004")
	c.tc("ClearInstance", obj{"InstanceId": tcID}).wantCode("ResourceUnavailable.InstanceLockedError")
	c.tc("DescribeInstances", obj{}).want("Response.TotalCount", "1").want("Response.InstanceSet.0.Region", "ap-guangzhou")
}
