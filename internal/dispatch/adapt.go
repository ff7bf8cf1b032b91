package dispatch

import (
	"time"

	"golang.org/x/time/rate"
)

const (
	// slowDown is the least factor of a throttle answer; a limit that lets far less
	// through is approached in larger steps, down to slowDownMost.
	slowDown, slowDownMost = 0.6, 0.1
	// slowDownOnce is the factor of the first one after longQuiet.
	slowDownOnce = 0.95
	longQuiet    = 10 * time.Second
	// slowDownEvery keeps a burst of throttle answers to calls already under way
	// from counting many times.
	slowDownEvery = 250 * time.Millisecond
	// A hundredth of the quota is kept however often the vendor throttles, and at
	// least leastPace, in calls per second; of a quota that is not far above it, a
	// quarter.
	leastPace = 0.2
	// recoverAfter a quiet time the limiter speeds up again, by recoverShare of the
	// quota each recoverEvery.
	recoverAfter = 2 * time.Second
	recoverEvery = time.Second
	recoverShare = 0.05
	// Up to nearCeiling of the limit at which the vendor throttled, it does so
	// soon; what lies beyond it tries after probeAfter, in steps that double: back
	// at full pace in less than 30 s, and seldom throttled while the limit stands.
	nearCeiling = 0.9
	probeAfter  = 8 * time.Second
)

// adaptation is what a pacer learned from throttle answers: others use the same
// quota, or it is smaller than configured.
type adaptation struct {
	slowedAt time.Time
	raisedAt time.Time
	ceiling  rate.Limit // the limit at which the vendor throttled last
	step     rate.Limit // of the next try beyond it
	// taken and refused count the answers since the limiter was slowed down.
	taken, refused int
}

// answered counts a call that was not throttled, and how long its answer took.
func (p *pacer) answered(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapt.taken++
	p.permits.window.answered(time.Now().Add(-took), took)
}

// throttled slows the limiter down, multiplicatively, and honours the wait that
// the vendor asked for. One such answer after a long time may be a call that was
// late on its way, and costs little; what is meant is said again.
func (p *pacer) throttled(retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.adapt.refused++
	if until := now.Add(min(retryAfter, time.Minute)); retryAfter > 0 && until.After(p.permits.notUntil) {
		p.permits.notUntil = until
	}
	if now.Sub(p.adapt.slowedAt) < slowDownEvery {
		return
	}
	base := p.limiter.Limit()
	if p.full == rate.Inf && base == rate.Inf {
		base = 1000 // no quota is configured: begin somewhere
	}
	let := rate.Limit(p.adapt.taken) / rate.Limit(p.adapt.taken+p.adapt.refused)
	factor := min(slowDown, max(slowDownMost, let))
	ceiling := base
	if now.Sub(p.adapt.slowedAt) > longQuiet && base < rate.Inf {
		factor, ceiling = slowDownOnce, base/nearCeiling
	}
	p.adapt = adaptation{slowedAt: now, raisedAt: now, ceiling: ceiling}
	p.adapt.step = min(p.unit(), base/4)
	p.setLimit(now, max(base*factor, p.floor()))
}

// floor is the least limit. The caller holds the lock.
func (p *pacer) floor() rate.Limit {
	if p.full == rate.Inf {
		return 1
	}
	return max(p.full/100, min(leastPace, p.full/4))
}

// unit is the smallest step upwards. The caller holds the lock.
func (p *pacer) unit() rate.Limit {
	if p.full == rate.Inf {
		return p.adapt.ceiling * recoverShare
	}
	return p.full * recoverShare
}

// adapted speeds the limiter up again. The caller holds the lock.
func (p *pacer) adapted(now time.Time) {
	limit := p.limiter.Limit()
	if limit == p.full || now.Sub(p.adapt.slowedAt) < recoverAfter {
		return
	}
	for limit < p.full && now.Sub(p.adapt.raisedAt) >= recoverEvery {
		p.adapt.raisedAt = p.adapt.raisedAt.Add(recoverEvery)
		limit = p.raised(limit, p.adapt.raisedAt)
	}
	if limit > 1e6 {
		limit = p.full // none was configured, and none is to be seen
	}
	p.setLimit(now, limit)
}

// setLimit changes the pace of all calls that have not left. The caller holds the lock.
func (p *pacer) setLimit(now time.Time, limit rate.Limit) {
	if limit == p.limiter.Limit() {
		return
	}
	k := &p.permits
	for i := len(k.slots) - 1; i >= 0; i-- {
		k.slots[i].CancelAt(now)
	}
	p.limiter.SetLimitAt(now, limit)
	for i := range k.slots {
		k.slots[i] = p.limiter.ReserveN(now, 1)
		k.at[i] = now.Add(k.slots[i].DelayFrom(now))
	}
	p.report()
}

// raised is the limit after one more step at a time. The caller holds the lock.
func (p *pacer) raised(limit rate.Limit, at time.Time) rate.Limit {
	switch near := p.adapt.ceiling * nearCeiling; {
	case limit < near:
		return min(limit+p.unit(), near, p.full)
	case at.Sub(p.adapt.slowedAt) < probeAfter:
		return limit
	}
	step := p.adapt.step
	p.adapt.step *= 2
	return min(limit+step, p.full)
}
