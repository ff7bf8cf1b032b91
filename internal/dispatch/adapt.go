package dispatch

import (
	"time"

	"golang.org/x/time/rate"
)

const (
	// slowDown is the factor of one throttle answer.
	slowDown = 0.6
	// slowDownEvery keeps a burst of throttle answers to calls already under way
	// from counting many times.
	slowDownEvery = 250 * time.Millisecond
	// leastShare of the quota is kept however often the vendor throttles.
	leastShare = 0.02
	// recoverAfter a quiet time the limiter speeds up again by recoverShare of
	// the quota each recoverEvery: back at full pace in less than 30 s.
	recoverAfter = 2 * time.Second
	recoverEvery = time.Second
	recoverShare = 0.05
)

// adaptation is what a pacer learned from throttle answers: others use the same
// quota, or it is smaller than configured.
type adaptation struct {
	slowedAt time.Time
	raisedAt time.Time
}

// throttled slows the limiter down, multiplicatively, and honours the wait that
// the vendor asked for.
func (p *pacer) throttled(retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if until := now.Add(min(retryAfter, time.Minute)); retryAfter > 0 && until.After(p.notUntil) {
		p.notUntil = until
	}
	if now.Sub(p.adapt.slowedAt) < slowDownEvery {
		return
	}
	base := p.limiter.Limit()
	if p.full == rate.Inf && base == rate.Inf {
		base = 1000 // no quota is configured: begin somewhere
	}
	p.adapt.slowedAt, p.adapt.raisedAt = now, now
	p.limiter.SetLimitAt(now, max(base*slowDown, p.floor()))
	p.report()
}

// floor is the least limit. The caller holds the lock.
func (p *pacer) floor() rate.Limit {
	if p.full == rate.Inf {
		return 1
	}
	return p.full * leastShare
}

// adapted speeds the limiter up again, additively. The caller holds the lock.
func (p *pacer) adapted(now time.Time) {
	limit := p.limiter.Limit()
	if limit == p.full || now.Sub(p.adapt.slowedAt) < recoverAfter {
		return
	}
	steps := int(now.Sub(p.adapt.raisedAt) / recoverEvery)
	if steps < 1 {
		return
	}
	p.adapt.raisedAt = p.adapt.raisedAt.Add(time.Duration(steps) * recoverEvery)
	unit := p.full * recoverShare
	if p.full == rate.Inf {
		unit = limit // doubles
	}
	next := limit + unit*rate.Limit(steps)
	if next >= p.full || next > 1e6 {
		next = p.full
	}
	p.limiter.SetLimitAt(now, next)
	p.report()
}
