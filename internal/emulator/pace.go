package emulator

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxMeters bounds the keys that are measured apart; region and action are the
// client's words. Further ones share one meter.
const maxMeters = 10_000

// PaceKey is what quotas count by.
type PaceKey struct {
	Vendor Vendor `json:"vendor"`
	Key    string `json:"key"`
	Region string `json:"region"`
	Action string `json:"action"`
}

// Pace is how fast calls of one key came.
type Pace struct {
	PaceKey
	Total int64 `json:"total"`
	// MaxPerSecond is the most calls that arrived in any sliding second.
	MaxPerSecond int       `json:"maxPerSecond"`
	MaxAt        time.Time `json:"maxAt"`
	// Throttled were refused for the quota.
	Throttled int64 `json:"throttled"`
	// Limit is the calls per second allowed now, 0 for any number.
	Limit float64 `json:"limit"`
}

// pacer measures arrivals and keeps quotas.
type pacer struct {
	now    func() time.Time
	mu     sync.Mutex
	meters map[PaceKey]*meter
}

func newPacer(now func() time.Time) *pacer {
	return &pacer{now: now, meters: map[PaceKey]*meter{}}
}

// arrive counts a call and reports when it came and whether the quota lets it
// through.
func (p *pacer) arrive(key PaceKey, mode string, limit float64) (time.Time, bool) {
	return p.meter(key).arrive(p.now, mode, limit)
}

func (p *pacer) meter(key PaceKey) *meter {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.meters[key]
	if m == nil {
		if len(p.meters) >= maxMeters {
			key = PaceKey{Vendor: key.Vendor, Key: "(others)"}
		}
		if m = p.meters[key]; m == nil {
			m = &meter{}
			p.meters[key] = m
		}
	}
	return m
}

func (p *pacer) report(q Quotas) []Pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Pace, 0, len(p.meters))
	for key, m := range p.meters {
		out = append(out, m.report(key, q.limit(key.Vendor, key.Action)))
	}
	slices.SortFunc(out, func(a, b Pace) int {
		return cmp.Or(cmp.Compare(a.Vendor, b.Vendor), strings.Compare(a.Key, b.Key),
			strings.Compare(a.Region, b.Region), strings.Compare(a.Action, b.Action))
	})
	return out
}

func (p *pacer) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meters = map[PaceKey]*meter{}
}

// meter is the pace of one key.
type meter struct {
	mu        sync.Mutex
	arrivals  window
	admitted  window
	clock     int64 // the second that inClock counts
	inClock   int
	total     int64
	throttled int64
	most      int
	mostAt    time.Time
}

// arrive reads the clock under its lock: the windows need times in order.
func (m *meter) arrive(now func() time.Time, mode string, limit float64) (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := now()
	m.total++
	m.arrivals.add(at, time.Second)
	if n := m.arrivals.len(); n > m.most {
		m.most, m.mostAt = n, at
	}
	ok := limit <= 0 || m.admit(at, mode, limit)
	if !ok {
		m.throttled++
	}
	return at, ok
}

func (m *meter) admit(at time.Time, mode string, limit float64) bool {
	n, span := int(limit), time.Second
	if limit < 1 {
		n, span = 1, time.Duration(float64(time.Second)/limit)
	}
	if mode == QuotaClock {
		return m.admitByClock(at.UnixNano()/int64(span), n)
	}
	m.admitted.trim(at, span)
	if m.admitted.len() >= n {
		return false
	}
	m.admitted.add(at, span)
	return true
}

func (m *meter) admitByClock(tick int64, n int) bool {
	if tick != m.clock {
		m.clock, m.inClock = tick, 0
	}
	if m.inClock >= n {
		return false
	}
	m.inClock++
	return true
}

func (m *meter) report(key PaceKey, limit float64) Pace {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Pace{key, m.total, m.most, m.mostAt, m.throttled, limit}
}

// window holds the times of the last span. A span is half open: two calls
// exactly a second apart do not share one.
type window struct {
	times []time.Time
	head  int
}

func (w *window) len() int { return len(w.times) - w.head }

func (w *window) add(at time.Time, span time.Duration) {
	w.trim(at, span)
	w.times = append(w.times, at)
}

func (w *window) trim(at time.Time, span time.Duration) {
	for w.head < len(w.times) && at.Sub(w.times[w.head]) >= span {
		w.head++
	}
	// Moving the rest down once it is the smaller half keeps this linear.
	if w.head > len(w.times)/2 {
		w.times = append(w.times[:0], w.times[w.head:]...)
		w.head = 0
	}
}
