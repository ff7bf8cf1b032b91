package emulator

import (
	"strconv"
	"time"
)

const hwMaxPage = 1000

// hwPage reads offset and limit.
func hwPage(x *exchange, size int) (offset, limit int, r *refusal) {
	q := x.r.URL.Query()
	limit = size
	var err error
	if text := q.Get("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 {
			return 0, 0, hwRefuse("DCS.4062", "The parameter offset is invalid.")
		}
	}
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > hwMaxPage {
			return 0, 0, hwRefuse("DCS.4062", "The parameter limit is invalid.")
		}
	}
	return offset, limit, nil
}

// hwSpan reads begin_time and end_time of a record list.
func hwSpan(x *exchange) (func(time.Time) bool, *refusal) {
	const layout = "20060102150405"
	from, to := time.Time{}, time.Time{}
	for name, at := range map[string]*time.Time{"begin_time": &from, "end_time": &to} {
		text := x.r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		parsed, err := time.Parse(layout, text)
		if err != nil {
			return nil, hwRefuse("DCS.4062", "The parameter "+name+" is invalid.")
		}
		*at = parsed
	}
	if !to.IsZero() && to.Before(from) {
		return nil, hwRefuse("DCS.4025", "The end time is before the start time.")
	}
	return func(t time.Time) bool {
		t = t.Truncate(time.Second)
		return !t.Before(from) && (to.IsZero() || !t.After(to))
	}, nil
}

type hwRestoreRow struct {
	RestoreID     string  `json:"restore_id"`
	BackupID      string  `json:"backup_id"`
	RestoreName   string  `json:"restore_name"`
	BackupName    string  `json:"backup_name"`
	RestoreRemark string  `json:"restore_remark"`
	BackupRemark  string  `json:"backup_remark"`
	Status        string  `json:"status"`
	Progress      string  `json:"progress"`
	ErrorCode     *string `json:"error_code"`
	CreatedAt     string  `json:"created_at"`
	UpdatedAt     string  `json:"updated_at"`
}

func hwListRestores(x *exchange, in hwInput) (any, *refusal) {
	found, within, offset, limit, r := hwRecordList(x, in)
	if r != nil {
		return nil, r
	}
	var rows []hwRestoreRow
	for _, w := range found.done(x.at) {
		if w.op == Restore && within(w.accepted) {
			rows = append(rows, hwRestoreRowOf(x, w))
		}
	}
	if len(rows) == 0 && x.set.quirks.HuaweiEmptyList == 204 {
		return hwNoContent{}, nil
	}
	return struct {
		Total int            `json:"total_num"`
		Rows  []hwRestoreRow `json:"restore_record_response"`
	}{len(rows), append([]hwRestoreRow{}, cut(rows, offset, limit)...)}, nil
}

// hwRecordList reads what both record lists take.
func hwRecordList(x *exchange, in hwInput) (found *instance, within func(time.Time) bool, offset, limit int, r *refusal) {
	if found, r = hwTarget(x, in.instance); r != nil {
		return
	}
	if within, r = hwSpan(x); r != nil {
		return
	}
	offset, limit, r = hwPage(x, 10)
	return
}

func hwRestoreRowOf(x *exchange, w work) hwRestoreRow {
	row := hwRestoreRow{
		RestoreID: hwRestoreID(w.id), BackupID: w.backup, RestoreName: "restore_" + strconv.FormatInt(w.id, 10),
		BackupName: "backup_" + w.backup, RestoreRemark: w.remark, CreatedAt: hwTime(w.accepted), UpdatedAt: hwTime(w.changed(x.at)),
	}
	row.Status, row.Progress, row.ErrorCode = hwPhase(w.phase(x.at), "restoring", "dcs.08.0007")
	return row
}

// hwPhase writes status, progress and error code of a record.
func hwPhase(p phase, busy, code string) (status, progress string, errorCode *string) {
	switch p {
	case waiting:
		return "waiting", "0.00", nil
	case running:
		return busy, "50.00", nil
	case failed:
		return "failed", "50.00", &code
	}
	return "succeed", "100.00", nil
}

type hwBackupRow struct {
	BackupID   string  `json:"backup_id"`
	InstanceID string  `json:"instance_id"`
	Name       string  `json:"backup_name"`
	Type       string  `json:"backup_type"`
	Format     string  `json:"backup_format"`
	Period     string  `json:"period"`
	Size       int64   `json:"size"`
	Status     string  `json:"status"`
	Progress   string  `json:"progress"`
	ErrorCode  *string `json:"error_code"`
	Remark     string  `json:"remark"`
	Restorable string  `json:"is_support_restore"`
	CreatedAt  string  `json:"created_at"`
	UpdatedAt  string  `json:"updated_at"`
	ExecutedAt string  `json:"execution_at"`
}

func hwListBackups(x *exchange, in hwInput) (any, *refusal) {
	found, within, offset, limit, r := hwRecordList(x, in)
	if r != nil {
		return nil, r
	}
	var rows []hwBackupRow
	for _, b := range found.backups(Huawei, x.at) {
		if within(b.begins) {
			rows = append(rows, hwBackupRowOf(x, in.instance, b))
		}
	}
	if len(rows) == 0 && x.set.quirks.HuaweiEmptyList == 204 {
		return hwNoContent{}, nil
	}
	return struct {
		Total int           `json:"total_num"`
		Rows  []hwBackupRow `json:"backup_record_response"`
	}{len(rows), append([]hwBackupRow{}, cut(rows, offset, limit)...)}, nil
}

func hwBackupRowOf(x *exchange, instance string, b backup) hwBackupRow {
	row := hwBackupRow{
		BackupID: b.id, InstanceID: instance, Name: b.name, Type: "auto", Format: "rdb", Size: 1 << 20, Remark: b.remark,
		Restorable: "TRUE", CreatedAt: hwTime(b.begins), UpdatedAt: hwTime(b.begins), ExecutedAt: hwTime(b.begins),
	}
	if b.manual {
		row.Type = "manual"
	}
	row.Status, row.Progress, row.ErrorCode = hwPhase(b.phase, "backuping", "dcs.08.0001")
	if b.expired {
		row.Status = "expired"
	}
	if row.Status != "succeed" {
		row.Restorable = "FALSE"
	}
	if b.phase == succeeded || b.phase == failed {
		row.UpdatedAt = hwTime(b.ends)
	}
	return row
}
