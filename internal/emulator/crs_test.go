package emulator

import (
	"testing"
	"time"
)

func TestCRSOperations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		action, row string
		params      []string
		op          Operation
		takes       time.Duration
	}{
		{"RestoreInstance", "restoreBackup", []string{"password", "@p_1", "backupId", "e824aecc-ef5e-11e6-a2c7-525400082493"}, Restore, 3 * time.Second},
		{"ClearRedis", "cleanInstance", []string{"password", "p"}, Flush, time.Second},
		{"ManualBackupInstance", "backupInstance", []string{"remark", "mark"}, Backup, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{})
			r := c.crs(tt.action, append(tt.params, "redisId", tcID)...).wantStatus(200).want("code", "0").want("codeDesc", "Success").want("message", "")
			if _, ok := r.at("data.requestId").(float64); !ok {
				t.Fatalf("answer %s", r.body)
			}
			id := r.text("data.requestId")
			c.crs("DescribeTaskInfo", "requestId", id).want("data.status", "1")
			c.crs("DescribeRedis", "redisId", tcID, "limit", "1", "offset", "0").want("data.redisSet.0.status", "1").want("totalCount", "1")
			c.crs("ClearRedis", "redisId", tcID, "password", "p").wantStatus(200).wantCode("10707").want("codeDesc", "InstanceLockedError")
			c.clock.advance(tt.takes)
			c.crs("DescribeTaskInfo", "requestId", id).want("data.status", "2")
			r = c.crs("GetRedisTaskList", "redisId", tcID, "limit", "20", "offset", "0", "taskType.0", "task_"+tt.row).want("totalCount", "1").
				want("data.redisTaskSet.0.taskName", tt.row).want("data.redisTaskSet.0.status", "2").want("data.redisTaskSet.0.progress", "1").
				want("data.redisTaskSet.0.startTime", "2026-01-02 11:04:05")
			if r.at("data.redisTaskSet.0.requestId") != nil {
				t.Errorf("the row carries an id: %s", r.body)
			}
			c.crs("GetRedisTaskList", "limit", "20", "offset", "0", "taskType.0", tt.row).want("totalCount", "0")
			c.crs("GetRedisTaskList", "limit", "20", "offset", "0", "taskStatus.0", "3").want("totalCount", "0")
			if call := c.s.Calls(Filter{})[0]; call.Operation != tt.op || !call.Effect || call.Vendor != TencentCRS || call.Region != "gz" {
				t.Errorf("recorded %+v", call)
			}
		})
	}
}

func TestCRSErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, action string
		params       []string
		code         string
	}{
		{"unknown action", "ClearInstance", nil, "6100"},
		{"no id", "ClearRedis", []string{"password", "p"}, "4000"},
		{"missing instance", "ClearRedis", []string{"redisId", "crs-missing1", "password", "p"}, "10701"},
		{"no password, clear", "ClearRedis", []string{"redisId", tcID}, "10501"},
		{"no password, restore", "RestoreInstance", []string{"redisId", tcID, "backupId", "b-1"}, "4000"},
		{"no backup", "RestoreInstance", []string{"redisId", tcID, "password", "p"}, "4000"},
		{"wrong password, clear", "ClearRedis", []string{"redisId", tcID, "password", "wrong"}, "10712"},
		{"wrong password, restore", "RestoreInstance", []string{"redisId", tcID, "password", "wrong", "backupId", "b-1"}, "10712"},
		{"missing backup", "RestoreInstance", []string{"redisId", tcID, "password", "p", "backupId", "missing"}, "11213"},
		{"expired backup", "RestoreInstance", []string{"redisId", tcID, "password", "p", "backupId", "expired-0001"}, "10711"},
		{"unknown task", "DescribeTaskInfo", []string{"requestId", "1"}, "11201"},
		{"no task", "DescribeTaskInfo", nil, "4000"},
		{"no page", "DescribeRedis", nil, "4000"},
		{"page", "GetRedisTaskList", []string{"limit", "101", "offset", "0"}, "11201"},
		{"time", "GetRedisTaskList", []string{"limit", "1", "offset", "0", "beginTime", "x"}, "11201"},
		{"parameter case", "ClearRedis", []string{"RedisId", tcID, "password", "p"}, "4000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{})
			c.crs(tt.action, tt.params...).wantStatus(200).wantCode(tt.code)
			if n := c.s.Effects().Total("", ""); n != 0 {
				t.Errorf("%d effects", n)
			}
		})
	}
}

func TestCRSStates(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"0", "1", "-2"} {
		c := newClient(t, Options{})
		if err := c.s.SetInstance(TencentCRS, tcID, InstanceSettings{Status: status}); err != nil {
			t.Fatal(err)
		}
		c.crs("DescribeRedis", "redisId", tcID, "limit", "1", "offset", "0").want("data.redisSet.0.status", status)
		c.crs("ClearRedis", "redisId", tcID, "password", "p").wantCode("10702")
	}
}

func TestCRSBackups(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	list := func() reply { return c.crs("GetRedisBackupList", "redisId", tcID, "limit", "10", "offset", "0") }
	list().want("totalCount", "2").want("data.redisBackupSet.0.backupId", "e824aecc-ef5e-11e6-a2c7-525400082493").
		want("data.redisBackupSet.0.status", "2").want("data.redisBackupSet.1.status", "-1")
	c.crs("ManualBackupInstance", "redisId", tcID, "remark", "mark").wantCode("ok")
	list().want("data.redisBackupSet.0.remark", "mark").want("data.redisBackupSet.0.status", "1").want("data.redisBackupSet.0.locked", "1").
		want("data.redisBackupSet.0.backupType", "manualBackupInstance")
	c.clock.advance(time.Second)
	c.crs("RestoreInstance", "redisId", tcID, "password", "p", "backupId", list().text("data.redisBackupSet.0.backupId")).wantCode("ok")
}

func TestCRSQuirks(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{CRSCode: "string", CRSTaskData: "array"}})
	r := c.crs("ClearRedis", "redisId", tcID, "password", "p")
	if r.at("code") != "0" {
		t.Errorf("code of %s", r.body)
	}
	c.crs("DescribeTaskInfo", "requestId", r.text("data.requestId")).want("data.0.status", "1")
	if r := c.crs("ClearRedis", "redisId", tcID, "password", "p"); r.at("code") != "10707" {
		t.Errorf("code of %s", r.body)
	}
	c = newClient(t, Options{Quirks: Quirks{CRSCode: "bracketed"}})
	c.crs("ClearRedis", "redisId", "crs-missing1", "password", "p").want("code", "4000").want("message", "(10701)The instance does not exist.")
	c.crs("ClearRedis", "password", "p").want("code", "4000").want("message", "The parameter redisId is missing.")
}
