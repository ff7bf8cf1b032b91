package dispatch

import (
	"context"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// maxPassed is how many calls may go to others while a lower priority waits. The
// promise is one in ten; the one left over is for a command that is still being
// prepared when its turn has come.
const maxPassed = 8

// permits is the last queue before the vendor. The limiter says when the next call
// may leave; which one it is, is decided at that moment.
type permits struct {
	slots    []*rate.Reservation // one for each ticket, in the order of time
	at       []time.Time         // when each slot is due
	tickets  [priorities][]*ticket
	passed   [priorities]int
	window   *window
	notUntil time.Time // the previous owner's window, or what the vendor asked for
	timer    *time.Timer
}

// ticket is a signed and recorded call that waits for its permit.
type ticket struct {
	prio  int
	leave chan struct{} // closed when it may leave
	call  uint64        // its number in the window; valid once it may leave
}

// queued counts the tickets of a priority.
func (k *permits) queued(prio int) int { return len(k.tickets[prio]) }

// queue takes the next slot and a place among those that wait for one. The caller
// holds the lock.
func (p *pacer) queue(prio int) *ticket {
	now := time.Now()
	p.adapted(now)
	t := &ticket{prio: prio, leave: make(chan struct{})}
	slot := p.limiter.ReserveN(now, 1)
	p.permits.slots = append(p.permits.slots, slot)
	p.permits.at = append(p.permits.at, now.Add(slot.DelayFrom(now)))
	p.permits.tickets[prio] = append(p.permits.tickets[prio], t)
	p.issue(now)
	return t
}

// await returns when the ticket's call may leave, or gives it up with the context's
// cause.
func (p *pacer) await(ctx context.Context, t *ticket) error {
	select {
	case <-t.leave:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k := &p.permits
	i := slices.Index(k.tickets[t.prio], t)
	if i < 0 {
		return nil // it was given at the same moment, and is spent
	}
	k.tickets[t.prio] = slices.Delete(k.tickets[t.prio], i, i+1)
	last := len(k.slots) - 1
	k.slots[last].Cancel()
	k.slots, k.at = k.slots[:last], k.at[:last]
	p.grant()
	return context.Cause(ctx)
}

// wakePermits is the timer's: a slot is due.
func (p *pacer) wakePermits() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.adapted(now)
	p.issue(now)
	p.grant()
}

// issue lets calls leave whose slots are due, and sets the timer for the next. The
// caller holds the lock.
func (p *pacer) issue(now time.Time) {
	k := &p.permits
	for len(k.slots) > 0 {
		wait := max(k.at[0].Sub(now), k.notUntil.Sub(now), k.window.wait(now))
		if wait > 0 {
			if p.limiter.Limit() < p.full {
				wait = min(wait, recoverEvery) // the pace may rise meanwhile
			}
			k.timer.Reset(wait)
			return
		}
		k.slots, k.at = k.slots[1:], k.at[1:]
		t := p.pick()
		t.call = k.window.leave(now)
		close(t.leave)
	}
}

// pick takes the ticket that gets the call: of a priority that was passed over often
// enough, lowest first; otherwise the most urgent. The caller holds the lock.
func (p *pacer) pick() *ticket {
	k := &p.permits
	chosen := -1
	for prio := priorities - 1; prio >= 0 && chosen < 0; prio-- {
		if k.queued(prio) > 0 && k.passed[prio] >= maxPassed {
			chosen = prio
		}
	}
	for prio := 0; chosen < 0; prio++ {
		if k.queued(prio) > 0 {
			chosen = prio
		}
	}
	for prio := range priorities {
		if prio > chosen && p.waits(prio) {
			k.passed[prio]++
		}
	}
	k.passed[chosen] = 0
	t := k.tickets[chosen][0]
	k.tickets[chosen][0] = nil
	k.tickets[chosen] = k.tickets[chosen][1:]
	return t
}
