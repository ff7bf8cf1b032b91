package emulator

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// historyLimit bounds the finished work that an instance remembers.
const historyLimit = 200

// InstanceSettings are what the administration may change of an instance. Empty
// fields leave what the id says (see the magic values).
type InstanceSettings struct {
	// Status, in the vendor's own word or number, replaces the steady status.
	Status string `json:"status,omitempty"`
	// EngineVersion like "3.0"; the default is "6.0".
	EngineVersion string `json:"engineVersion,omitempty"`
	// Class is "standalone" or empty for an instance with a replica.
	Class string `json:"class,omitempty"`
	// Region is where lists show the instance; default: where it was first
	// mentioned.
	Region string `json:"region,omitempty"`
	// NoPassword marks the instance as free of a password.
	NoPassword bool `json:"noPassword,omitempty"`
	// PasswordRequired makes Tencent refuse calls without a password; by
	// default it takes them.
	PasswordRequired bool `json:"passwordRequired,omitempty"`
	// Missing makes the instance unknown.
	Missing bool `json:"missing,omitempty"`
	// Fails makes its accepted work end failed.
	Fails bool `json:"fails,omitempty"`
}

// resolve completes settings with what the id says.
func (c InstanceSettings) resolve(id string) InstanceSettings {
	c.Missing = c.Missing || magicMissing(id)
	c.Fails = c.Fails || magicFails(id)
	if c.EngineVersion == "" {
		c.EngineVersion = "6.0"
		if magicRedis3(id) {
			c.EngineVersion = "3.0"
		}
	}
	if c.Class == "" && magicStandalone(id) {
		c.Class = classStandalone
	}
	return c
}

const classStandalone = "standalone"

// instance is one Redis instance of a family of vendors.
type instance struct {
	id      string
	number  int64
	created time.Time

	mu   sync.Mutex
	conf InstanceSettings // resolved
	// current is the newest work but backups, backup the newest backup.
	current, backup *work
	history         []*work
	effects         map[Operation]*effects

	// inFlight counts open mutation requests.
	inFlight atomic.Int32
}

// view is an instance at one moment.
type view struct {
	id     string
	number int64
	at     time.Time
	made   time.Time
	conf   InstanceSettings
	// lock is work that keeps other work out, shown what the status tells, last
	// the newest work that is over, backingUp a running backup.
	lock, shown, last, backingUp *work
}

func (v view) standalone() bool { return v.conf.Class == classStandalone }

// look returns the instance as it is now.
func (in *instance) look(now time.Time) view {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.viewLocked(now)
}

func (in *instance) viewLocked(now time.Time) view {
	v := view{id: in.id, number: in.number, at: now, made: in.created, conf: in.conf}
	if w := in.backup; w != nil && !w.over(now) {
		v.backingUp = w
	}
	w := in.current
	switch {
	case w == nil:
	case w.over(now):
		v.last = w
	default:
		v.lock = w
		if w.phase(now) == running && !w.hidden {
			v.shown = w
		}
	}
	return v
}

// start begins work unless check, which sees the instance under its lock,
// refuses. It reports whether other work was running.
func (in *instance) start(now time.Time, o order, set settings, id int64, check func(view) *refusal) (*work, bool, *refusal) {
	in.mu.Lock()
	defer in.mu.Unlock()
	v := in.viewLocked(now)
	if r := check(v); r != nil {
		return nil, false, r
	}
	w := o.plan(now, in.id, set)
	w.id, w.failed = id, in.conf.Fails
	in.remember(w)
	in.breakBackup(now, o.op)
	if o.op == Backup {
		in.backup = w
	} else {
		in.current = w
	}
	return w, v.lock != nil, nil
}

func (in *instance) remember(w *work) {
	in.history = append(in.history, w)
	if len(in.history) > historyLimit {
		in.history = slices.Delete(in.history, 0, len(in.history)-historyLimit)
	}
}

// breakBackup lets a restart spoil the backup that is running, as Huawei says.
// The old record may be in others' hands, so it is replaced, not changed.
func (in *instance) breakBackup(now time.Time, op Operation) {
	b := in.backup
	if op != Restart || b == nil || b.over(now) {
		return
	}
	spoiled := *b
	spoiled.failed, spoiled.ends = true, now
	in.history[slices.Index(in.history, b)] = &spoiled
	in.backup = &spoiled
}

// done lists the work that lists may show now, newest first.
func (in *instance) done(now time.Time) []work {
	in.mu.Lock()
	defer in.mu.Unlock()
	out := make([]work, 0, len(in.history))
	for _, w := range slices.Backward(in.history) {
		if !now.Before(w.listed) {
			out = append(out, *w)
		}
	}
	return out
}

// task finds one piece of work by its number.
func (in *instance) task(id int64) (work, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, w := range slices.Backward(in.history) {
		if w.id == id {
			return *w, true
		}
	}
	return work{}, false
}
