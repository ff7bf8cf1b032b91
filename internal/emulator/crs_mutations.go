package emulator

import "net/url"

func crsTarget(x *exchange, params url.Values) (*instance, *refusal) {
	id := params.Get("redisId")
	if id == "" {
		return nil, crsRefuse("4000", "The parameter redisId is missing.")
	}
	if found := x.instance(id); found != nil {
		return found, nil
	}
	return nil, crsRefuse("10701", "The instance does not exist.")
}

// crsReady lets work start on an instance that runs and is not locked.
func crsReady(x *exchange) func(view) *refusal {
	return func(v view) *refusal {
		switch {
		case x.set.quirks.BusyAccepted:
		case v.lock != nil || v.backingUp != nil:
			return crsRefuse("10707", "The instance is locked by another flow.")
		case tcStatus(v) != 2:
			return crsRefuse("10702", "The status of the instance does not allow the flow.")
		}
		return nil
	}
}

func crsPassword(v view, password string) *refusal {
	if !v.conf.NoPassword && wrongPassword(password) {
		return crsRefuse("10712", "The password is wrong.")
	}
	return nil
}

func crsRestore(x *exchange, params url.Values) (any, *refusal) {
	found, r := crsTarget(x, params)
	if r != nil {
		return nil, r
	}
	for _, name := range []string{"password", "backupId"} {
		if params.Get(name) == "" {
			return nil, crsRefuse("4000", "The parameter "+name+" is missing.")
		}
	}
	if r = crsPassword(found.look(x.at), params.Get("password")); r != nil {
		return nil, r
	}
	switch x.usable(found, TencentCRS, params.Get("backupId")) {
	case backupMissing:
		return nil, crsRefuse("11213", "The backup does not exist.")
	case backupUnusable:
		return nil, crsRefuse("10711", "The status of the backup is abnormal, it may have expired or been deleted.")
	}
	return crsStart(x, found, order{op: Restore, backup: params.Get("backupId")})
}

func crsClear(x *exchange, params url.Values) (any, *refusal) {
	found, r := crsTarget(x, params)
	if r != nil {
		return nil, r
	}
	if params.Get("password") == "" {
		return nil, crsRefuse("10501", "The password is empty.")
	}
	if r = crsPassword(found.look(x.at), params.Get("password")); r != nil {
		return nil, r
	}
	return crsStart(x, found, order{op: Flush})
}

func crsBackUp(x *exchange, params url.Values) (any, *refusal) {
	found, r := crsTarget(x, params)
	if r != nil {
		return nil, r
	}
	return crsStart(x, found, order{op: Backup, remark: params.Get("remark")})
}

// crsTask is the answer to accepted work: its requestId is the task's number.
type crsTask struct {
	RequestID int64 `json:"requestId"`
}

func crsStart(x *exchange, found *instance, o order) (any, *refusal) {
	w, r := x.start(found, o, crsReady(x))
	if r != nil {
		return nil, r
	}
	return crsTask{w.id}, nil
}
