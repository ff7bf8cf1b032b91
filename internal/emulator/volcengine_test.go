package emulator

import (
	"strings"
	"testing"
	"time"
)

const volcID = "redis-cn0212gzmh2xsabcd"

func TestVolcengineOperations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		action  string
		body    obj
		op      Operation
		busy    string
		takes   time.Duration
		flushes string
	}{
		{"RestartDBInstance", obj{}, Restart, "Restarting", 2 * time.Second, ""},
		{"FlushDBInstance", obj{}, Flush, "Running", time.Second, "async"},
		{"RestoreDBInstance", obj{"BackupPointId": "b-0001"}, Restore, "Restoring", 3 * time.Second, ""},
		{"RestoreDBInstance", obj{"BackupType": "Inc", "TimePoint": "2026-01-01T00:00:00Z"}, Restore, "Restoring", 3 * time.Second, ""},
	}
	for _, tt := range tests {
		c := newClient(t, Options{Quirks: Quirks{VolcengineFlush: tt.flushes}})
		tt.body["InstanceId"] = volcID
		r := c.volc(tt.action, tt.body).wantStatus(200).wantCode("ok").
			want("ResponseMetadata.Action", tt.action).want("ResponseMetadata.Service", "Redis").
			want("ResponseMetadata.Region", "cn-beijing").want("ResponseMetadata.Version", "2020-12-07")
		if !strings.HasSuffix(r.body, `"Result":null}`) || r.text("ResponseMetadata.RequestId") == "" {
			t.Errorf("%s answers %s", tt.action, r.body)
		}
		status := func() string {
			return c.volc("DescribeDBInstanceDetail", obj{"InstanceId": volcID}).text("Result.Status")
		}
		c.clock.advance(tt.takes - 1)
		if got := status(); got != tt.busy {
			t.Errorf("%s: status %s, want %s", tt.action, got, tt.busy)
		}
		// Anything else is refused meanwhile, even where the status hides it.
		c.volc("RestartDBInstance", obj{"InstanceId": volcID}).wantStatus(400).wantCode("InstanceStatusNotMatch")
		c.clock.advance(1)
		if got := status(); got != "Running" {
			t.Errorf("%s: status %s after the end", tt.action, got)
		}
		c.volc("RestartDBInstance", obj{"InstanceId": volcID}).wantCode("ok")
		calls := c.s.Calls(Filter{Action: tt.action})
		if calls[0].Operation != tt.op || !calls[0].Effect || calls[0].Outcome != "ok" || calls[0].Instances[0] != volcID {
			t.Errorf("recorded %+v", calls[0])
		}
		if r := c.s.Effects(); r.RefusedBusy != 1 || r.ConcurrentEffects != 0 || r.Total(volcID, tt.op) == 0 {
			t.Errorf("effects %+v", r)
		}
	}
}

func TestVolcengineSyncFlush(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for range 3 {
		c.volc("FlushDBInstance", obj{"InstanceId": volcID}).wantCode("ok")
	}
	if n := c.s.Effects().Total(volcID, Flush); n != 3 {
		t.Errorf("%d flushes", n)
	}
}

func TestVolcengineErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, action string
		body         any
		code         string
		status       int
	}{
		{"no instance id", "RestartDBInstance", obj{}, "MissingParameter", 400},
		{"malformed id", "RestartDBInstance", obj{"InstanceId": "a b c"}, "ParamError", 400},
		{"missing instance", "RestartDBInstance", obj{"InstanceId": "redis-missing"}, "InstanceNotExist", 400},
		{"missing instance, look-up", "DescribeDBInstanceDetail", obj{"InstanceId": "redis-nonexistent"}, "InstanceNotExist", 400},
		{"bad JSON", "RestartDBInstance", "{", "ParamError", 400},
		{"unknown action", "RebootDBInstance", obj{}, "InvalidActionOrVersion", 404},
		{"no backup", "RestoreDBInstance", obj{"InstanceId": volcID}, "MissingParameter", 400},
		{"missing backup", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupPointId": "b-missing"}, "BackupNotExist", 400},
		{"expired backup", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupPointId": "b-expired-0001"}, "InvalidBackupStatus", 400},
		{"broken backup", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupPointId": "b-broken"}, "InvalidBackupStatus", 400},
		{"backup type", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupType": "Half"}, "ParamError", 400},
		{"no time", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupType": "Inc"}, "MissingParameter", 400},
		{"time format", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupType": "Inc", "TimePoint": "yesterday"}, "TimeFormatInvalid", 400},
		{"time ahead", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupType": "Inc", "TimePoint": "2026-01-03T00:00:00Z"}, "TimeIntervalInvalid", 400},
		{"time long ago", "RestoreDBInstance", obj{"InstanceId": volcID, "BackupType": "Inc", "TimePoint": "2025-01-03T00:00:00Z"}, "TimeIntervalInvalid", 400},
		{"standalone restore", "RestoreDBInstance", obj{"InstanceId": "redis-standalone", "BackupPointId": "b-0001"}, "InvalidInstanceType", 400},
		{"standalone backup", "CreateBackup", obj{"InstanceId": "redis-standalone"}, "InvalidInstanceType", 400},
		{"page size", "DescribeDBInstances", obj{"PageSize": 0}, "ParamError", 400},
		{"page without size", "DescribeBackups", obj{"InstanceId": volcID, "PageNumber": 1}, "MissingParameter", 400},
		{"half a span", "DescribeBackups", obj{"InstanceId": volcID, "StartTime": "2026-01-01T00:00:00Z"}, "TimeIntervalInvalid", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{})
			r := c.volc(tt.action, tt.body).wantCode(tt.code).wantStatus(tt.status)
			if _, has := r.json["Result"]; has {
				t.Errorf("a failure has a Result: %s", r.body)
			}
			if calls := c.s.Calls(Filter{}); calls[0].Outcome != tt.code || calls[0].HTTPStatus != tt.status || calls[0].Effect {
				t.Errorf("recorded %+v", calls[0])
			}
		})
	}
}

func TestVolcengineStates(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	if err := c.s.SetInstance(Volcengine, volcID, InstanceSettings{Status: "Scaling", EngineVersion: "5.0"}); err != nil {
		t.Fatal(err)
	}
	c.volc("DescribeDBInstanceDetail", obj{"InstanceId": volcID}).want("Result.Status", "Scaling").want("Result.EngineVersion", "5.0")
	c.volc("FlushDBInstance", obj{"InstanceId": volcID}).wantCode("InstanceStatusNotMatch")
	c.volc("RestartDBInstance", obj{"InstanceId": "redis-fails-1"}).wantCode("ok")
	c.clock.advance(2 * time.Second)
	c.volc("DescribeDBInstanceDetail", obj{"InstanceId": "redis-fails-1"}).want("Result.Status", "TaskFailed")
	c.volc("RestartDBInstance", obj{"InstanceId": "redis-fails-1"}).wantCode("InstanceStatusNotMatch")
}

func TestVolcengineStatusLag(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{StatusLag: 5 * time.Second}})
	c.volc("RestartDBInstance", obj{"InstanceId": volcID}).wantCode("ok")
	for _, want := range []string{"Running", "Restarting", "Running"} {
		c.volc("DescribeDBInstanceDetail", obj{"InstanceId": volcID}).want("Result.Status", want)
		if want == "Running" {
			c.clock.advance(5 * time.Second)
		} else {
			c.clock.advance(2 * time.Second)
		}
	}
	c.volc("RestartDBInstance", obj{"InstanceId": volcID}).wantCode("ok")
	c.volc("FlushDBInstance", obj{"InstanceId": volcID}).wantCode("InstanceStatusNotMatch") // locked from the start
}

func TestVolcengineClientToken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		policy        string
		same, other   string
		sameOutcome   string
		effectsBefore int
	}{
		{"replay", "ok", "ok", "replayed", 1},
		{"mismatch", "ok", "IdempotentParameterMismatch", "replayed", 1},
		{"ignore", "ok", "ok", "ok", 3},
	}
	for _, tt := range tests {
		t.Run(tt.policy, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{Quirks: Quirks{VolcengineToken: tt.policy}})
			first, second := obj{"InstanceId": volcID, "ClientToken": "t-1"}, obj{"InstanceId": volcID, "ClientToken": "t-1", "Extra": 1}
			c.volc("FlushDBInstance", first).wantCode("ok")
			c.volc("FlushDBInstance", first).wantCode(tt.same)
			c.volc("FlushDBInstance", second).wantCode(tt.other)
			calls := c.s.Calls(Filter{})
			if calls[1].Outcome != tt.sameOutcome || calls[1].Token != "t-1" || calls[1].Effect != (tt.sameOutcome == "ok") {
				t.Errorf("recorded %+v", calls[1])
			}
			if n := c.s.Effects().Total(volcID, Flush); n != tt.effectsBefore {
				t.Errorf("%d flushes, want %d", n, tt.effectsBefore)
			}
			// A token belongs to one action, and a refusal leaves it free.
			c.volc("RestartDBInstance", obj{"InstanceId": "redis-missing", "ClientToken": "t-1"}).wantCode("InstanceNotExist")
			c.volc("RestartDBInstance", obj{"InstanceId": volcID, "ClientToken": "t-1"}).wantCode("ok").want("ResponseMetadata.Action", "RestartDBInstance")
			if n := c.s.Effects().Total(volcID, Restart); n != 1 {
				t.Errorf("%d restarts, want 1", n)
			}
		})
	}
}

func TestVolcengineBackups(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{RowLag: 2 * time.Second}})
	r := c.volc("CreateBackup", obj{"InstanceId": volcID, "BackupPointName": "op_1"}).wantCode("ok").want("Result.InstanceId", volcID)
	id := r.text("Result.BackupPointId")
	list := func(more obj) reply {
		more["InstanceId"] = volcID
		return c.volc("DescribeBackups", more).wantCode("ok")
	}
	list(obj{}).want("Result.Total", "2").want("Result.Backups.0.BackupPointId", "b-0001").want("Result.Backups.0.Status", "Available").
		want("Result.Backups.1.Status", "Unavailable")
	// A running backup leaves the instance alone, but is no use yet.
	c.volc("DescribeDBInstanceDetail", obj{"InstanceId": volcID}).want("Result.Status", "Running")
	c.clock.advance(2 * time.Second)
	list(obj{"BackupPointName": "op_1"}).want("Result.Total", "1").want("Result.Backups.0.BackupPointId", id).
		want("Result.Backups.0.BackupStrategy", "ManualBackup").want("Result.Backups.0.Status", "Available").
		want("Result.Backups.0.InstanceInfo.InstanceId", volcID)
	list(obj{"BackupStrategyList": []string{"AutomatedBackup"}}).want("Result.Total", "2")
	list(obj{"PageNumber": 2, "PageSize": 2}).want("Result.Total", "3").want("Result.Backups.0.BackupPointId", "b-expired-0001")
	list(obj{"BackupPointId": "b-anything"}).want("Result.Total", "1").want("Result.Backups.0.Status", "Available")
	list(obj{"BackupPointId": "b-0001"}).want("Result.Total", "1")
	list(obj{"BackupPointId": "b-broken"}).want("Result.Backups.0.Status", "Unavailable")
	list(obj{"BackupPointId": "b-missing"}).want("Result.Total", "0")
	c.volc("RestoreDBInstance", obj{"InstanceId": volcID, "BackupPointId": id}).wantCode("ok")
}

func TestVolcengineRunningBackupIsUnusable(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	id := c.volc("CreateBackup", obj{"InstanceId": volcID}).text("Result.BackupPointId")
	c.volc("DescribeBackups", obj{"InstanceId": volcID, "BackupPointId": id}).want("Result.Backups.0.Status", "Creating")
	c.volc("RestoreDBInstance", obj{"InstanceId": volcID, "BackupPointId": id}).wantCode("InvalidBackupStatus")
}

func TestVolcengineWindowStartsAnew(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	inc := obj{"InstanceId": volcID, "BackupType": "Inc", "TimePoint": "2026-01-02T01:00:00Z"}
	c.volc("FlushDBInstance", obj{"InstanceId": volcID}).wantCode("ok") // only a restore moves the window
	c.volc("DescribePitrTimeWindow", obj{"InstanceId": volcID}).want("Result.StartTime", "2025-12-26T03:04:05Z").want("Result.EndTime", "2026-01-02T03:04:05Z")
	c.volc("RestoreDBInstance", inc).wantCode("ok")
	c.clock.advance(3 * time.Second)
	c.volc("DescribePitrTimeWindow", obj{"InstanceId": volcID}).want("Result.StartTime", "2026-01-02T03:04:08Z")
	c.volc("RestoreDBInstance", inc).wantCode("TimeIntervalInvalid")
}

func TestVolcengineList(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, id := range []string{"redis-c", "redis-a", "redis-b"} {
		c.volc("DescribeDBInstanceDetail", obj{"InstanceId": id})
	}
	c.volc("RestartDBInstance", obj{"InstanceId": "redis-b"})
	c.volc("DescribeDBInstances", obj{}).want("Result.TotalInstancesNum", "3").want("Result.Instances.0.InstanceId", "redis-a").
		want("Result.Instances.0.InstanceClass", "PrimarySecondary").want("Result.Instances.1.Status", "Restarting")
	c.volc("DescribeDBInstances", obj{"PageNumber": 2, "PageSize": 2}).want("Result.TotalInstancesNum", "3").want("Result.Instances.0.InstanceId", "redis-c")
	c.volc("DescribeDBInstances", obj{"Status": "Restarting"}).want("Result.TotalInstancesNum", "1")
	c.volc("DescribeDBInstances", obj{"RegionId": "cn-shanghai"}).want("Result.TotalInstancesNum", "0")
	c.volc("DescribeDBInstances", obj{"InstanceId": "redis-new"}).want("Result.TotalInstancesNum", "1")
	c.volc("DescribeDBInstances", obj{"InstanceId": "redis-missing"}).want("Result.TotalInstancesNum", "0")
	c.volc("DescribeDBInstances", obj{"ServiceType": "Enterprise"}).want("Result.TotalInstancesNum", "0")
}
