package emulator

import (
	"slices"
	"strings"
	"time"
)

type tcInstance struct {
	InstanceId, InstanceName      string
	Appid                         int64
	ProjectId, RegionId, ZoneId   int64
	Status                        int
	InstanceTitle                 string
	SubStatus                     int
	WanIp                         string
	Port, Type                    int64
	Size                          float64
	SizeUsed                      float64
	NoAuth                        bool
	Createtime, DeadlineTime      string
	CloseTime, OfflineTime        string
	BillingMode, AutoRenewFlag    int64
	RedisShardNum, RedisShardSize int64
	RedisReplicasNum              int64
	Engine, ProductType, Region   string
	CurrentRedisVersion           string
}

func tcInstances(x *exchange, in tcInput) (any, *refusal) {
	from, limit, r := tcPage(in, 20, 1000)
	if r != nil {
		return nil, r
	}
	filtered := len(in.Status) > 0 || in.InstanceName != "" || in.SearchKey != ""
	kept := keep(tcNamed(x, in), filtered, func(found *instance) bool {
		return (len(in.Status) == 0 || slices.Contains(in.Status, int64(tcStatus(found.look(x.at))))) &&
			strings.Contains(found.id, in.InstanceName) && strings.Contains(found.id, in.SearchKey)
	})
	rows := []tcInstance{}
	for _, found := range cut(kept, from, limit) {
		rows = append(rows, tcDescribe(x, found.look(x.at)))
	}
	return struct {
		TotalCount  int
		InstanceSet []tcInstance
	}{len(kept), rows}, nil
}

func tcDescribe(x *exchange, v view) tcInstance {
	row := tcInstance{
		InstanceId: v.id, InstanceName: v.id, Appid: 1250000000, RegionId: 1, ZoneId: 100003, Status: tcStatus(v),
		WanIp: "10.0.0.10", Port: 6379, Type: 8, Size: 1024, SizeUsed: 128, NoAuth: v.conf.NoPassword, Createtime: tcTime(v.made),
		DeadlineTime: tcUnset, CloseTime: tcUnset, OfflineTime: tcUnset, RedisShardNum: 1, RedisShardSize: 1024, RedisReplicasNum: 1,
		Engine: "Redis", ProductType: "standalone", Region: orText(longRegion(v.conf.Region), x.region), CurrentRedisVersion: v.conf.EngineVersion,
		InstanceTitle: "运行中",
	}
	if row.Status == 1 {
		row.InstanceTitle, row.SubStatus = "流程中", 1
		if v.shown != nil {
			row.InstanceTitle = tcKind[v.shown.op].text
		}
	}
	if v.standalone() {
		row.RedisReplicasNum = 0
	}
	return row
}

type tcBackupRow struct {
	StartTime, EndTime, ExpireTime string
	BackupId, BackupType           string
	Status                         int
	Remark                         string
	Locked                         int
	BackupSize                     int64
	InstanceId, InstanceName       string
	FileType, Region               string
	Encrypted                      bool
}

func tcBackups(x *exchange, in tcInput) (any, *refusal) {
	from, limit, r := tcPage(in, 20, 100)
	if r != nil {
		return nil, r
	}
	within, r := tcSpan(in)
	if r != nil {
		return nil, r
	}
	if in.InstanceId != "" {
		if _, r := tcTarget(x, in.InstanceId); r != nil {
			return nil, r
		}
	}
	rows := []tcBackupRow{}
	for _, found := range tcNamed(x, in) {
		for _, b := range found.backups(Tencent, x.at) {
			row := tcBackupRowOf(x, found, b)
			if within(b.begins) && (len(in.Status) == 0 || slices.Contains(in.Status, int64(row.Status))) {
				rows = append(rows, row)
			}
		}
	}
	return struct {
		TotalCount int
		BackupSet  []tcBackupRow
	}{len(rows), cut(rows, from, limit)}, nil
}

func tcBackupRowOf(x *exchange, found *instance, b backup) tcBackupRow {
	row := tcBackupRow{
		StartTime: tcTime(b.begins), EndTime: tcTime(b.ends), ExpireTime: tcTime(b.begins.Add(7 * 24 * time.Hour)), BackupId: b.id,
		BackupType: "1", Status: tcBackupStatus(b), Remark: b.remark, BackupSize: 1 << 20, InstanceId: found.id,
		InstanceName: found.id, FileType: "RDB", Region: orText(longRegion(x.region), "ap-guangzhou"),
	}
	if b.manual {
		row.BackupType = "0"
	}
	if row.Status == 1 {
		row.EndTime, row.BackupSize, row.Locked = tcUnset, 0, 1
	}
	return row
}

// tcBackupStatus is the state of a backup in both of Tencent's APIs: 1 locked
// by a flow, 2 normal, -1 expired.
func tcBackupStatus(b backup) int {
	switch {
	case b.phase == waiting || b.phase == running:
		return 1
	case b.expired || b.phase == failed:
		return -1
	}
	return 2
}
