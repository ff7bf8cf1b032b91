package emulator

import (
	"strings"
	"time"
)

// tokenLimit bounds the ClientTokens that are remembered.
const tokenLimit = 100_000

// once applies the chosen reading of ClientToken. Only accepted calls are
// remembered: a refusal leaves the token free.
func (v *volcengine) once(x *exchange, in volcInput, do func(*exchange, volcInput) (any, *refusal)) (any, *refusal) {
	policy := x.set.quirks.VolcengineToken
	if policy == "ignore" {
		return do(x, in)
	}
	// Held across the work, so that two copies of one call at the same moment
	// are told apart; nothing below sleeps.
	v.mu.Lock()
	defer v.mu.Unlock()
	name := strings.Join([]string{x.key, x.region, x.action, in.ClientToken}, "\x00")
	if first, ok := v.tokens[name]; ok {
		if policy == "mismatch" && first.body != string(x.body) {
			return nil, volcRefuse("IdempotentParameterMismatch", "The ClientToken was used with other parameters.")
		}
		x.outcome = "replayed"
		return first.result, nil
	}
	result, r := do(x, in)
	if r == nil {
		v.keep(name, volcReplay{string(x.body), result})
	}
	return result, r
}

func (v *volcengine) keep(name string, replay volcReplay) {
	v.tokens[name] = replay
	v.order = append(v.order, name)
	if len(v.order) > tokenLimit {
		delete(v.tokens, v.order[0])
		v.order = v.order[1:]
	}
}

// reset forgets all tokens.
func (v *volcengine) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tokens, v.order = map[string]volcReplay{}, nil
}

func (v *volcengine) target(x *exchange, in volcInput) (*instance, *refusal) {
	if in.InstanceId == "" {
		return nil, volcRefuse("MissingParameter", "InstanceId is required.")
	}
	if !wellFormed(in.InstanceId) {
		return nil, volcRefuse("ParamError", "InstanceId is malformed.")
	}
	if found := x.instance(in.InstanceId); found != nil {
		return found, nil
	}
	return nil, volcRefuse("InstanceNotExist", "The instance "+in.InstanceId+" does not exist.")
}

// volcReady lets work start on a running instance only.
func volcReady(x *exchange) func(view) *refusal {
	return func(v view) *refusal {
		if x.free(v) && (volcStatus(v) == "Running" || x.set.quirks.BusyAccepted) {
			return nil
		}
		return volcRefuse("InstanceStatusNotMatch", "The status of the instance does not allow the operation: "+volcStatus(v)+".")
	}
}

func (v *volcengine) restart(x *exchange, in volcInput) (any, *refusal) {
	return v.run(x, in, order{op: Restart})
}

// flush never shows in the status: no Flushing is listed.
func (v *volcengine) flush(x *exchange, in volcInput) (any, *refusal) {
	return v.run(x, in, order{op: Flush, hidden: true, instant: x.set.quirks.VolcengineFlush == "sync"})
}

func (v *volcengine) run(x *exchange, in volcInput, o order) (any, *refusal) {
	found, r := v.target(x, in)
	if r == nil {
		_, r = x.start(found, o, volcReady(x))
	}
	return nil, r
}

func (v *volcengine) restore(x *exchange, in volcInput) (any, *refusal) {
	found, r := v.target(x, in)
	if r != nil {
		return nil, r
	}
	if found.look(x.at).standalone() {
		return nil, volcRefuse("InvalidInstanceType", "A standalone instance cannot be restored.")
	}
	o := order{op: Restore, backup: in.BackupPointId}
	switch in.BackupType {
	case "", "Full":
		r = volcBackup(x, found, in.BackupPointId)
	case "Inc":
		o.backup = in.TimePoint
		r = volcTimePoint(x, found, in.TimePoint)
	default:
		r = volcRefuse("ParamError", "BackupType must be Full or Inc.")
	}
	if r == nil {
		_, r = x.start(found, o, volcReady(x))
	}
	return nil, r
}

// volcBackup judges the backup point. The vendor's codes for these are not
// documented; the emulator's follow its naming.
func volcBackup(x *exchange, in *instance, id string) *refusal {
	if id == "" {
		return volcRefuse("MissingParameter", "BackupPointId is required for a full restore.")
	}
	switch x.usable(in, Volcengine, id) {
	case backupMissing:
		return volcRefuse("BackupNotExist", "The backup "+id+" does not exist.")
	case backupUnusable:
		return volcRefuse("InvalidBackupStatus", "The backup "+id+" is not available.")
	}
	return nil
}

func volcTimePoint(x *exchange, in *instance, text string) *refusal {
	if text == "" {
		return volcRefuse("MissingParameter", "TimePoint is required for an incremental restore.")
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", text)
	if err != nil {
		return volcRefuse("TimeFormatInvalid", "TimePoint must look like 2026-01-02T03:04:05Z.")
	}
	if start, end := volcWindow(in, x.at); at.Before(start) || at.After(end) {
		return volcRefuse("TimeIntervalInvalid", "TimePoint is outside the window that can be restored.")
	}
	return nil
}

// volcWindow is what can be restored: it starts anew after each restore.
func volcWindow(in *instance, now time.Time) (start, end time.Time) {
	start = in.created.Add(-6 * 24 * time.Hour)
	for _, w := range in.done(now) {
		if w.op == Restore && w.over(now) && w.ends.After(start) {
			start = w.ends
		}
	}
	return start.Truncate(time.Second), now
}

func (v *volcengine) createBackup(x *exchange, in volcInput) (any, *refusal) {
	found, r := v.target(x, in)
	if r != nil {
		return nil, r
	}
	if found.look(x.at).standalone() {
		return nil, volcRefuse("InvalidInstanceType", "A standalone instance has no backups.")
	}
	w, r := x.start(found, order{op: Backup, name: in.BackupPointName}, volcReady(x))
	if r != nil {
		return nil, r
	}
	return struct{ InstanceId, BackupPointId string }{in.InstanceId, backupID(Volcengine, w.id)}, nil
}
