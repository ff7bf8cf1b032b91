package emulator

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const hwID = "2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef"

func (c *client) hwStatus(action string, ids ...string) reply {
	c.t.Helper()
	return c.hw("PUT", "instances/status", obj{"instances": ids, "action": action})
}

func TestHuaweiStatusOperations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		action, busy, conflict string
		op                     Operation
		takes                  time.Duration
	}{
		{"restart", "RESTARTING", "DCS.4111", Restart, 2 * time.Second},
		{"soft_restart", "RESTARTING", "DCS.4111", SoftRestart, time.Second},
		{"flush", "FLUSHING", "DCS.4026", Flush, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{})
			r := c.hwStatus(tt.action, hwID).wantStatus(200).want("results.0.instance", hwID).want("results.0.result", "success")
			if id := r.header.Get("X-Request-Id"); len(id) != 32 {
				t.Errorf("request id %q", id)
			}
			c.clock.advance(tt.takes - 1)
			c.hw("GET", "instances/"+hwID, nil).want("status", tt.busy).want("task.status", "RUNNING").want("instance_id", hwID)
			c.hwStatus("restart", hwID).wantStatus(400).wantCode(tt.conflict)
			c.clock.advance(1)
			r = c.hw("GET", "instances/"+hwID, nil).want("status", "RUNNING")
			if task, given := r.json["task"]; task != nil || !given {
				t.Errorf("task %v, given %t; want null", task, given)
			}
			if call := c.s.Calls(Filter{})[0]; call.Action != "RestartOrFlushInstances" || call.Operation != tt.op || !call.Effect ||
				call.Region != testProject || call.Instances[0] != hwID {
				t.Errorf("recorded %+v", call)
			}
			if n := c.s.Effects().Total(hwID, tt.op); n != 1 {
				t.Errorf("%d effects", n)
			}
		})
	}
}

func TestHuaweiRestore(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.hw("GET", "instances/"+hwID+"/restores?offset=0&limit=10", nil).wantStatus(204)
	id := c.hw("POST", "instances/"+hwID+"/restores", obj{"backup_id": standing[Huawei][0], "remark": "op-1"}).wantStatus(200).text("restore_id")
	c.hw("GET", "instances/"+hwID, nil).want("status", "RESTORING")
	c.hwStatus("restart", hwID).wantCode("DCS.4097")
	list := func(query string) reply { return c.hw("GET", "instances/"+hwID+"/restores?"+query, nil) }
	list("").want("restore_record_response.0.status", "restoring").want("restore_record_response.0.restore_id", id)
	c.clock.advance(3 * time.Second)
	r := list("begin_time=20260102030400&end_time=20260102030500").want("total_num", "1").want("restore_record_response.0.status", "succeed").
		want("restore_record_response.0.restore_remark", "op-1").want("restore_record_response.0.backup_id", standing[Huawei][0]).
		want("restore_record_response.0.progress", "100.00").want("restore_record_response.0.created_at", "2026-01-02T03:04:05.000Z").
		want("restore_record_response.0.updated_at", "2026-01-02T03:04:08.000Z")
	if code := r.at("restore_record_response.0.error_code"); code != nil {
		t.Errorf("error code %v", code)
	}
	list("begin_time=20260102030406").wantStatus(204)
	list("offset=5").wantStatus(200).want("total_num", "1")
	if call := c.s.Calls(Filter{Action: "RestoreInstance"})[0]; call.Token != "op-1" || call.Operation != Restore || !call.Effect {
		t.Errorf("recorded %+v", call)
	}
}

func TestHuaweiErrors(t *testing.T) {
	t.Parallel()
	ids := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf("2e803f66-fbb0-47ad-b6cb-%012d", i)
		}
		return out
	}
	restores := "instances/" + hwID + "/restores"
	tests := []struct {
		name, method, path string
		body               any
		code               string
		status             int
	}{
		{"empty body", "PUT", "instances/status", nil, "DCS.4004", 400},
		{"bad JSON", "PUT", "instances/status", "{", "DCS.4005", 400},
		{"no instances", "PUT", "instances/status", obj{"action": "restart"}, "DCS.4065", 400},
		{"bad action", "PUT", "instances/status", obj{"instances": ids(1), "action": "stop"}, "DCS.4064", 400},
		{"51 ids", "PUT", "instances/status", obj{"instances": ids(51), "action": "restart"}, "DCS.4100", 400},
		{"malformed id", "PUT", "instances/status", obj{"instances": []string{"not an id"}, "action": "restart"}, "DCS.4061", 400},
		{"missing instance", "PUT", "instances/status", obj{"instances": []string{uuidMissing}, "action": "restart"}, "DCS.3022", 404},
		{"missing instance, look-up", "GET", "instances/" + uuidMissing, nil, "DCS.3022", 404},
		{"flush of Redis 3", "PUT", "instances/status", obj{"instances": []string{uuidRedis3}, "action": "flush"}, "DCS.4027", 400},
		{"no backup", "POST", restores, obj{}, "DCS.4062", 400},
		{"missing backup", "POST", restores, obj{"backup_id": uuidMissing}, "DCS.4062", 400},
		{"dead backup", "POST", restores, obj{"backup_id": uuidDeadBackup}, "DCS.4087", 400},
		{"long remark", "POST", restores, obj{"backup_id": hwID, "remark": strings.Repeat("é", 129)}, "DCS.4098", 400},
		{"single node", "POST", "instances/" + uuidStandalone + "/restores", obj{"backup_id": hwID}, "DCS.4086", 400},
		{"offset", "GET", restores + "?offset=-1", nil, "DCS.4062", 400},
		{"limit", "GET", "instances?limit=1001", nil, "DCS.4062", 400},
		{"time", "GET", restores + "?begin_time=2026", nil, "DCS.4062", 400},
		{"times reversed", "GET", restores + "?begin_time=20260102000000&end_time=20260101000000", nil, "DCS.4025", 400},
		{"unknown path", "GET", "elsewhere", nil, "DCS.4001", 404},
		{"unknown method", "DELETE", "instances/status", nil, "DCS.5001", 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{})
			r := c.hw(tt.method, tt.path, tt.body).wantStatus(tt.status).wantCode(tt.code)
			if extra, given := r.json["error_ext_msg"]; extra != nil || !given {
				t.Errorf("error_ext_msg %v, given %t", extra, given)
			}
			if n := c.s.Effects().Total("", ""); n != 0 {
				t.Errorf("%d effects", n)
			}
		})
	}
	c := newClient(t, Options{})
	r := c.hwStatus("restart", ids(50)...)
	if rows, ok := r.at("results").([]any); !ok || len(rows) != 50 {
		t.Errorf("50 ids: %s", r.body)
	}
}

func TestHuaweiBatchConflict(t *testing.T) {
	t.Parallel()
	tests := []struct {
		quirks                   Quirks
		single, batch            string
		batchResult, otherResult string
		effects                  int
	}{
		{Quirks{}, "DCS.4111", "ok", "failed", "success", 2},
		{Quirks{HuaweiSingle: "item", HuaweiBatch: "request"}, "ok", "DCS.4111", "", "", 1},
	}
	for _, tt := range tests {
		c := newClient(t, Options{Quirks: tt.quirks})
		c.hwStatus("restart", hwID).wantCode("ok")
		single := c.hwStatus("flush", hwID).wantCode(tt.single)
		if tt.single == "ok" {
			single.want("results.0.result", "failed")
		}
		c.hwStatus("flush", hwID, "other-instance").wantCode(tt.batch).want("results.0.result", tt.batchResult).want("results.1.result", tt.otherResult)
		if n := c.s.Effects().Total("", ""); n != tt.effects {
			t.Errorf("%d effects, want %d", n, tt.effects)
		}
	}
}

func TestHuaweiFailures(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.hw("POST", "instances/"+uuidFails+"/restores", obj{"backup_id": hwID}).wantStatus(200)
	c.clock.advance(3 * time.Second)
	c.hw("GET", "instances/"+uuidFails+"/restores", nil).want("restore_record_response.0.status", "failed").
		want("restore_record_response.0.error_code", "dcs.08.0007")
	c.hw("GET", "instances/"+uuidFails, nil).want("status", "RUNNING") // rolled back
	c.hwStatus("restart", uuidFails).wantCode("ok")
	c.clock.advance(2 * time.Second)
	c.hw("GET", "instances/"+uuidFails, nil).want("status", "ERROR")
	c.hwStatus("flush", uuidFails).wantCode("DCS.4049")
	c.hwStatus("restart", uuidFails).wantCode("ok") // allowed on a faulty instance
}

func TestHuaweiStates(t *testing.T) {
	t.Parallel()
	for status, code := range map[string]string{
		"EXTENDING": "DCS.4113", "UPGRADING": "DCS.4116", "CREATING": "DCS.4118", "FROZEN": "DCS.4049", "IPEXCHANGING": "DCS.4026",
	} {
		c := newClient(t, Options{})
		if err := c.s.SetInstance(Huawei, hwID, InstanceSettings{Status: status}); err != nil {
			t.Fatal(err)
		}
		c.hw("GET", "instances/"+hwID, nil).want("status", status)
		c.hwStatus("restart", hwID).wantStatus(400).wantCode(code)
	}
}

func TestHuaweiBackup(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	path := "instances/" + hwID + "/backups"
	c.hw("GET", path, nil).want("total_num", "2").want("backup_record_response.0.backup_id", standing[Huawei][0]).
		want("backup_record_response.0.is_support_restore", "TRUE").want("backup_record_response.1.status", "expired")
	id := c.hw("POST", path, obj{"remark": "mark"}).wantStatus(200).text("backup_id")
	c.hw("GET", "instances/"+hwID, nil).want("status", "RUNNING")
	c.hwStatus("flush", hwID).wantCode("DCS.4096")
	c.hw("POST", "instances/"+hwID+"/restores", obj{"backup_id": id}).wantCode("DCS.4087")
	c.hw("GET", path, nil).want("backup_record_response.0.status", "backuping").want("backup_record_response.0.remark", "mark")
	c.hwStatus("restart", hwID).wantCode("ok") // spoils the backup
	c.hw("GET", path, nil).want("backup_record_response.0.status", "failed").want("backup_record_response.0.error_code", "dcs.08.0001")
	c.clock.advance(2 * time.Second)
	c.hw("POST", "instances/"+hwID+"/restores", obj{"backup_id": id}).wantCode("DCS.4087")
	c.hw("GET", path+"?begin_time=20300101000000", nil).wantStatus(204)
}

func TestHuaweiLists(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, id := range []string{"inst-c", "inst-a", "inst-b"} {
		c.hw("GET", "instances/"+id, nil)
	}
	c.hwStatus("flush", "inst-b")
	c.hw("GET", "instances?limit=1000&offset=0", nil).want("instance_num", "3").want("instances.0.instance_id", "inst-a").want("instances.1.status", "FLUSHING")
	c.hw("GET", "instances?limit=2&offset=2", nil).want("instance_num", "3").want("instances.0.instance_id", "inst-c")
	c.hw("GET", "instances?status=FLUSHING", nil).want("instance_num", "1")
	c.hw("GET", "instances?name=inst-a", nil).want("instance_num", "1")
	c.hw("GET", "instances?name=inst-a&name_equal=true", nil).want("instance_num", "0")
	c.hw("GET", "instances?instance_id=inst-d", nil).want("instance_num", "1")
	c.hw("GET", "instances?instance_id="+uuidMissing, nil).want("instance_num", "0")
	c.hw("GET", "instances/status", nil).want("redis.running_count", "3").want("redis.flushing_count", "1").want("running_count", "3").want("memcached.running_count", "0")
	c.clock.advance(time.Second)
	c.hwStatus("restart", "inst-a")
	c.clock.advance(2 * time.Second)
	c.hw("GET", "instances/statistic", nil).want("statistics.0.keys", "1000").want("statistics.1.instance_id", "inst-b").want("statistics.1.keys", "0")
}

func TestHuaweiQuirks(t *testing.T) {
	t.Parallel()
	set := func(q Quirks) *client {
		c := newClient(t, Options{})
		if err := c.s.SetQuirks(q); err != nil {
			t.Fatal(err)
		}
		return c
	}
	restores := "instances/" + hwID + "/restores"
	set(Quirks{HuaweiEmptyList: 200}).hw("GET", restores, nil).wantStatus(200).want("total_num", "0")
	if r := set(Quirks{}).hw("GET", "instances/"+hwID+"/tasks", nil); r.at("task_count") != "0" {
		t.Errorf("task_count of %s", r.body)
	}
	if r := set(Quirks{HuaweiTaskCount: "number"}).hw("GET", "instances/"+hwID+"/tasks", nil); r.at("task_count") != 0.0 {
		t.Errorf("task_count of %s", r.body)
	}
	for style, codes := range map[string][2]string{"legacy": {"111404022", "111400064"}, "spaced": {"DCS. 3022", "DCS. 4064"}} {
		c := set(Quirks{HuaweiCodes: style})
		c.hw("GET", "instances/"+uuidMissing, nil).wantStatus(404).wantCode(codes[0])
		c.hwStatus("stop", hwID).wantStatus(400).wantCode(codes[1])
	}
	c := set(Quirks{HuaweiTaskLinger: 10 * time.Second, RowLag: 30 * time.Second})
	c.hw("POST", restores, obj{"backup_id": hwID}).wantStatus(200)
	c.clock.advance(12 * time.Second)
	c.hw("GET", "instances/"+hwID, nil).want("status", "RUNNING").want("task.name", "RESTORE")
	c.hw("GET", restores, nil).wantStatus(204)
	c.clock.advance(18 * time.Second)
	c.hw("GET", restores, nil).wantStatus(200).want("total_num", "1")
	if r := c.hw("GET", "instances/"+hwID, nil); r.json["task"] != nil {
		t.Errorf("task stays: %s", r.body)
	}
}

func TestHuaweiRegionOfHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{"dcs.cn-north-4.myhuaweicloud.com": "cn-north-4", "127.0.0.1:80": "p"} {
		if got := hwRegion(host, "p"); got != want {
			t.Errorf("region of %s: %s, want %s", host, got, want)
		}
	}
}
