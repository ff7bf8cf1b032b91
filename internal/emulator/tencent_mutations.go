package emulator

import "strconv"

// tcStatus is the instance's status number, the same in both of Tencent's
// APIs: 0 to be initialised, 1 in a flow, 2 running, -2 isolated, -3 to be
// deleted.
func tcStatus(v view) int {
	if n, err := strconv.Atoi(v.conf.Status); err == nil {
		return n
	}
	if v.shown != nil || v.backingUp != nil && v.backingUp.phase(v.at) == running {
		return 1
	}
	return 2
}

func tcTarget(x *exchange, id string) (*instance, *refusal) {
	if found := x.instance(id); found != nil {
		return found, nil
	}
	return nil, tcRefuse("ResourceNotFound.InstanceNotExists", "The instance does not exist.")
}

// tcReady lets work start on an instance that runs and is not locked.
func tcReady(x *exchange) func(view) *refusal {
	return func(v view) *refusal {
		switch {
		case x.set.quirks.BusyAccepted:
		case v.lock != nil || v.backingUp != nil || tcStatus(v) == 1:
			return tcRefuse("ResourceUnavailable.InstanceLockedError", "The instance is locked by another flow.")
		case tcStatus(v) == -2 || tcStatus(v) == -3:
			return tcRefuse("ResourceUnavailable.InstanceStatusAbnormal", "The status of the instance does not support the operation.")
		case tcStatus(v) != 2:
			return tcRefuse("ResourceUnavailable.InstanceStateError", "The state of the instance does not support the operation.")
		}
		return nil
	}
}

// tcPassword checks the instance's password, which is free by default.
func tcPassword(v view, password string) *refusal {
	switch {
	case v.conf.NoPassword:
	case password == "" && v.conf.PasswordRequired:
		return tcRefuse("InvalidParameterValue.PasswordEmpty", "The password is empty.")
	case wrongPassword(password):
		return tcRefuse("InvalidParameterValue.PasswordError", "The password is wrong.")
	}
	return nil
}

func tcRestore(x *exchange, in tcInput) (any, *refusal) {
	found, r := tcTarget(x, in.InstanceId)
	if r != nil {
		return nil, r
	}
	if r = tcPassword(found.look(x.at), in.Password); r != nil {
		return nil, r
	}
	switch x.usable(found, Tencent, in.BackupId) {
	case backupMissing:
		return nil, tcRefuse("InvalidParameterValue.BackupNotExists", "The backup does not exist.")
	case backupUnusable:
		return nil, tcRefuse("ResourceUnavailable.BackupStatusAbnormal", "The status of the backup is abnormal, it may have expired or been deleted.")
	}
	return tcStart(x, found, order{op: Restore, backup: in.BackupId})
}

func tcClear(x *exchange, in tcInput) (any, *refusal) {
	found, r := tcTarget(x, in.InstanceId)
	if r == nil {
		r = tcPassword(found.look(x.at), in.Password)
	}
	if r != nil {
		return nil, r
	}
	return tcStart(x, found, order{op: Flush})
}

func tcBackUp(x *exchange, in tcInput) (any, *refusal) {
	if in.StorageDays != nil && (*in.StorageDays < 0 || *in.StorageDays > 1825) {
		return nil, tcRefuse("InvalidParameter.InvalidParameter", "StorageDays is 0 to 1825.")
	}
	found, r := tcTarget(x, in.InstanceId)
	if r != nil {
		return nil, r
	}
	return tcStart(x, found, order{op: Backup, remark: in.Remark})
}

func tcStart(x *exchange, found *instance, o order) (any, *refusal) {
	w, r := x.start(found, o, tcReady(x))
	if r != nil {
		return nil, r
	}
	return struct{ TaskId any }{tcTaskID(x, w.id)}, nil
}

// tcTaskID writes a task's number the way the quirk asks for.
func tcTaskID(x *exchange, id int64) any {
	if x.set.quirks.TencentTaskID == "string" {
		return strconv.FormatInt(id, 10)
	}
	return id
}
