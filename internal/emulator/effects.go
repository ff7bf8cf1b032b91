package emulator

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// effectTimes bounds the times kept per instance and operation.
const effectTimes = 50

// effects counts what one operation did to one instance.
type effects struct {
	count int
	times []time.Time
}

// EffectCount is how often an operation took effect on an instance.
type EffectCount struct {
	Vendor    Vendor    `json:"vendor"`
	Instance  string    `json:"instance"`
	Operation Operation `json:"operation"`
	Count     int       `json:"count"`
	// Times are the newest, at most fifty.
	Times []time.Time `json:"times"`
}

// EffectReport tells what mutations did.
type EffectReport struct {
	Effects []EffectCount `json:"effects"`
	Violations
}

// Violations counts what a careful client never does.
type Violations struct {
	// ConcurrentEffects took effect while other work ran on the instance.
	ConcurrentEffects int64 `json:"concurrentEffects"`
	// OverlappingRequests arrived while another mutation request on the same
	// instance was still open.
	OverlappingRequests int64 `json:"overlappingRequests"`
	// RefusedBusy were refused because other work ran on the instance.
	RefusedBusy int64 `json:"refusedBusy"`
}

// violations is Violations while it counts.
type violations struct {
	concurrent, overlapping, busy atomic.Int64
}

func (v *violations) report() Violations {
	return Violations{v.concurrent.Load(), v.overlapping.Load(), v.busy.Load()}
}

// Total counts the effects of an operation on an instance; empty arguments
// match everything.
func (r EffectReport) Total(instance string, op Operation) int {
	n := 0
	for _, e := range r.Effects {
		if (instance == "" || e.Instance == instance) && (op == "" || e.Operation == op) {
			n += e.Count
		}
	}
	return n
}

// effect notes that op took effect.
func (in *instance) effect(op Operation, at time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	e := in.effects[op]
	if e == nil {
		e = &effects{}
		in.effects[op] = e
	}
	e.count++
	e.times = append(e.times, at)
	if len(e.times) > effectTimes {
		e.times = slices.Delete(e.times, 0, len(e.times)-effectTimes)
	}
}

// effectReport lists the effects on all instances in a stable order. Tencent's
// two generations share instances, so both appear as tencent.
func (s *store) effectReport() []EffectCount {
	out := []EffectCount{}
	for _, v := range vendors {
		if v.family() != v {
			continue
		}
		for _, in := range s.all(v) {
			out = append(out, in.effectCounts(v)...)
		}
	}
	return out
}

func (in *instance) effectCounts(v Vendor) []EffectCount {
	in.mu.Lock()
	defer in.mu.Unlock()
	var out []EffectCount
	for op, e := range in.effects {
		out = append(out, EffectCount{v, in.id, op, e.count, slices.Clone(e.times)})
	}
	slices.SortFunc(out, func(a, b EffectCount) int { return cmp.Compare(a.Operation, b.Operation) })
	return out
}

func (v *violations) clear() {
	v.concurrent.Store(0)
	v.overlapping.Store(0)
	v.busy.Store(0)
}
