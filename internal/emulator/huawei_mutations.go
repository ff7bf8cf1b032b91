package emulator

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

const (
	hwMaxIDs    = 50
	hwMaxRemark = 128
)

// hwActions are the words of a status call.
var hwActions = map[string]Operation{"restart": Restart, "soft_restart": SoftRestart, "flush": Flush}

type hwItem struct {
	Instance string `json:"instance"`
	Result   string `json:"result"`
}

// hwChangeStatus restarts or flushes up to fifty instances.
func hwChangeStatus(x *exchange, in hwInput) (any, *refusal) {
	op, ok := hwActions[in.body.Action]
	switch {
	case len(in.body.Instances) == 0:
		return nil, hwRefuse("DCS.4065", "The instances field is missing.")
	case len(in.body.Instances) > hwMaxIDs:
		return nil, hwRefuse("DCS.4100", "More than 50 instances.")
	case !ok:
		return nil, hwRefuse("DCS.4064", "The action must be start, stop, or restart.")
	}
	whole := x.set.quirks.HuaweiBatch
	if len(in.body.Instances) == 1 {
		whole = x.set.quirks.HuaweiSingle
	}
	if whole == "request" {
		if r := hwPreview(x, in, op); r != nil {
			return nil, r
		}
	}
	return hwChangeEach(x, in, op, whole == "request")
}

// hwPreview finds the first instance that would be refused, so that nothing is
// done if one is.
func hwPreview(x *exchange, in hwInput, op Operation) *refusal {
	if len(in.body.Instances) == 1 {
		return nil // the attempt itself tells
	}
	for _, id := range in.body.Instances {
		found, r := hwTarget(x, id)
		if r == nil {
			r = hwReady(x, op)(found.look(x.at))
		}
		if r != nil {
			return r
		}
	}
	return nil
}

func hwChangeEach(x *exchange, in hwInput, op Operation, whole bool) (any, *refusal) {
	items := []hwItem{}
	for _, id := range in.body.Instances {
		found, r := hwTarget(x, id)
		if r == nil {
			_, r = x.start(found, order{op: op}, hwReady(x, op))
		}
		if r != nil && whole && len(in.body.Instances) == 1 {
			return nil, r
		}
		item := hwItem{id, "success"}
		if r != nil {
			item.Result = "failed"
		}
		items = append(items, item)
	}
	return struct {
		Results []hwItem `json:"results"`
	}{items}, nil
}

func hwTarget(x *exchange, id string) (*instance, *refusal) {
	if !wellFormed(id) {
		return nil, hwRefuse("DCS.4061", "The instance ID is invalid.")
	}
	if found := x.instance(id); found != nil {
		return found, nil
	}
	return nil, &refusal{http.StatusNotFound, "DCS.3022", "The instance does not exist."}
}

// hwReady says whether an operation may start.
func hwReady(x *exchange, op Operation) func(view) *refusal {
	return func(v view) *refusal {
		switch {
		case x.set.quirks.BusyAccepted:
		case v.lock != nil:
			return hwBusy(v.lock.op)
		case v.backingUp != nil && op != Restart:
			return hwRefuse("DCS.4096", "A backup task is running for the instance.")
		case hwStatus(v) == "ERROR" && (op == Restart || op == SoftRestart):
		case hwStatus(v) != "RUNNING":
			return hwWrongStatus(hwStatus(v))
		}
		return hwSupported(v, op)
	}
}

// hwBusy names the work in the way. No code says that a flush is.
func hwBusy(op Operation) *refusal {
	switch op {
	case Restart, SoftRestart:
		return hwRefuse("DCS.4111", "The instance is being restarted.")
	case Restore:
		return hwRefuse("DCS.4097", "The instance is being restored.")
	}
	return hwRefuse("DCS.4026", "The operation is not allowed in the current instance status.")
}

func hwWrongStatus(status string) *refusal {
	code, ok := map[string]string{
		"EXTENDING": "DCS.4113", "UPGRADING": "DCS.4116", "ROLLBACKING": "DCS.4117", "CREATING": "DCS.4118",
		"FREEZING": "DCS.4120", "RESTARTING": "DCS.4111", "RESTORING": "DCS.4097", "ERROR": "DCS.4049",
		"FROZEN": "DCS.4049", "DELETED": "DCS.4119",
	}[status]
	if !ok {
		code = "DCS.4026"
	}
	return hwRefuse(code, "The operation is not allowed while the instance is "+status+".")
}

// hwSupported refuses what the kind of instance cannot do. The codes of both
// cases are readings, not documented.
func hwSupported(v view, op Operation) *refusal {
	switch {
	case op == Flush && strings.HasPrefix(v.conf.EngineVersion, "3."):
		return hwRefuse("DCS.4027", "The operation is not supported by this instance.")
	case (op == Restore || op == Backup) && v.standalone():
		return hwRefuse("DCS.4086", "Only master/standby and cluster instances support the operation.")
	}
	return nil
}

func hwRestore(x *exchange, in hwInput) (any, *refusal) {
	found, r := hwTarget(x, in.instance)
	if r == nil {
		r = hwRestorable(x, found, in)
	}
	if r != nil {
		return nil, r
	}
	w, r := x.start(found, order{op: Restore, backup: in.body.BackupID, remark: in.body.Remark}, hwReady(x, Restore))
	if r != nil {
		return nil, r
	}
	return struct {
		RestoreID string `json:"restore_id"`
	}{hwRestoreID(w.id)}, nil
}

func hwRestorable(x *exchange, found *instance, in hwInput) *refusal {
	if utf8.RuneCountInString(in.body.Remark) > hwMaxRemark {
		return hwRefuse("DCS.4098", "The remark is too long.")
	}
	if in.body.BackupID == "" {
		return hwRefuse("DCS.4062", "The parameter backup_id is missing.")
	}
	switch x.usable(found, Huawei, in.body.BackupID) {
	case backupMissing:
		return hwRefuse("DCS.4062", "The parameter backup_id is invalid: no such backup.")
	case backupUnusable:
		return hwRefuse("DCS.4087", "The backup task did not succeed.")
	}
	return nil
}

func hwBackUp(x *exchange, in hwInput) (any, *refusal) {
	found, r := hwTarget(x, in.instance)
	if r != nil {
		return nil, r
	}
	if utf8.RuneCountInString(in.body.Remark) > hwMaxRemark {
		return nil, hwRefuse("DCS.4098", "The remark is too long.")
	}
	w, r := x.start(found, order{op: Backup, remark: in.body.Remark, hidden: true}, hwReady(x, Backup))
	if r != nil {
		return nil, r
	}
	return struct {
		BackupID string `json:"backup_id"`
	}{backupID(Huawei, w.id)}, nil
}

func hwRestoreID(id int64) string { return uuidOf(0xe5, id) }
