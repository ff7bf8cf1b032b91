package emulator

import (
	"slices"
	"strings"
	"time"
)

type volcBackupRow struct {
	BackupPointId, BackupPointName, BackupStrategy, BackupType string
	StartTime, EndTime, InstanceId, ProjectName                string
	Size                                                       int64
	Status                                                     string
	TTL                                                        int
	InstanceInfo                                               volcBackupOf
}

type volcBackupOf struct {
	AccountId                                  int64
	ArchType, ChargeType, DeletionProtection   string
	EngineVersion, ExpiredTime, InstanceId     string
	InstanceName, MaintenanceTime, NetworkType string
	RegionId                                   string
	Replicas                                   int
	ShardCapacity                              float64
	ShardNumber                                int
	TotalCapacity                              int64
	VpcId                                      string
	ZoneIds                                    []string
}

func (v *volcengine) describeBackups(x *exchange, in volcInput) (any, *refusal) {
	from, size, r := volcPage(in, 0)
	if r != nil {
		return nil, r
	}
	if (in.PageNumber == nil) != (in.PageSize == nil) {
		return nil, volcRefuse("MissingParameter", "PageNumber and PageSize need each other.")
	}
	if (in.StartTime == "") != (in.EndTime == "") {
		return nil, volcRefuse("TimeIntervalInvalid", "StartTime and EndTime need each other.")
	}
	var of []*instance
	if in.Scope == "" || in.Scope == "OneInstance" || in.InstanceId != "" {
		found, r := v.target(x, in)
		if r != nil {
			return nil, r
		}
		of = []*instance{found}
	} else {
		of = x.s.store.list(x.vendor, x.region)
	}
	rows := []volcBackupRow{}
	for _, found := range of {
		rows = append(rows, volcBackups(x, found, in)...)
	}
	return struct {
		Total   int
		Backups []volcBackupRow
	}{len(rows), cut(rows, from, size)}, nil
}

func volcBackups(x *exchange, found *instance, in volcInput) []volcBackupRow {
	rows := []volcBackupRow{}
	all := found.backups(Volcengine, x.at)
	// A backup that is asked for by its id exists, unless the id says otherwise.
	known := slices.ContainsFunc(all, func(b backup) bool { return strings.Contains(b.id, in.BackupPointId) })
	if state := magicBackup(in.BackupPointId); !known && state != backupMissing {
		all = append(all, backup{id: in.BackupPointId, name: in.BackupPointId, expired: state == backupUnusable, phase: succeeded,
			begins: found.created, ends: found.created.Add(time.Minute)})
	}
	for _, b := range all {
		row := volcBackupRowOf(x, found, b)
		if volcWanted(row, in) {
			rows = append(rows, row)
		}
	}
	return rows
}

func volcWanted(row volcBackupRow, in volcInput) bool {
	return strings.Contains(row.BackupPointId, in.BackupPointId) && strings.Contains(row.BackupPointName, in.BackupPointName) &&
		(in.StartTime == "" || row.StartTime >= in.StartTime && row.StartTime <= in.EndTime) &&
		(len(in.BackupStrategyList) == 0 || slices.Contains(in.BackupStrategyList, "AllStrategy") ||
			slices.Contains(in.BackupStrategyList, row.BackupStrategy))
}

func volcBackupRowOf(x *exchange, found *instance, b backup) volcBackupRow {
	of := volcDescribe(x, found.look(x.at))
	row := volcBackupRow{
		BackupPointId: b.id, BackupPointName: b.name, BackupStrategy: "AutomatedBackup", BackupType: "Full",
		StartTime: volcTime(b.begins), InstanceId: found.id, ProjectName: "default", Status: "Available", TTL: 7, Size: 1 << 20,
		InstanceInfo: volcBackupOf{
			AccountId: 2100000000, ArchType: of.InstanceClass, ChargeType: of.ChargeType, DeletionProtection: of.DeletionProtection,
			EngineVersion: of.EngineVersion, InstanceId: of.InstanceId, InstanceName: of.InstanceName, MaintenanceTime: "02:00-06:00",
			NetworkType: "Private", RegionId: of.RegionId, Replicas: of.NodeNumber, ShardCapacity: of.ShardCapacity,
			ShardNumber: of.ShardNumber, TotalCapacity: of.Capacity.Total, VpcId: of.VpcId, ZoneIds: of.ZoneIds,
		},
	}
	if b.manual {
		row.BackupStrategy = "ManualBackup"
	}
	switch {
	case b.phase == waiting || b.phase == running:
		row.Status, row.Size = "Creating", 0
		return row
	case b.expired || b.phase == failed:
		row.Status = "Unavailable"
	}
	row.EndTime = volcTime(b.ends)
	return row
}

func (v *volcengine) describeWindow(x *exchange, in volcInput) (any, *refusal) {
	found, r := v.target(x, in)
	if r != nil {
		return nil, r
	}
	start, end := volcWindow(found, x.at)
	return struct{ StartTime, EndTime string }{volcTime(start), volcTime(end)}, nil
}
