package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// earlyFor is how long a look-up that was made early is good for: the claim beside it
// takes a millisecond, and whoever it takes longer begins anew.
const earlyFor = time.Second

// early is what a command does while its token is being claimed: if nobody is before
// it, it takes its instance and its turn and looks up what Prepare must know. Nothing
// of that has an effect, and a command that comes alone is at the vendor the sooner.
type early struct {
	run     *run
	began   time.Time
	turn    *turn
	unlock  func()
	cancel  context.CancelFunc
	giveOn  func() // gives instance and turn on, once
	expires *time.Timer
	done    chan struct{} // closed once the fields below are set

	request vendors.Request
	base    vendors.Baseline
	verdict vendors.Verdict
	err     error
}

// lookEarly begins, or returns nil where that does not pay: bulk work shares its
// look-ups, and what was delivered before has most likely a record.
func (r *run) lookEarly(ctx context.Context) *early {
	if r.prio() == prioBulk || r.delivery.Deliveries() > 1 || !r.region.isOpen() {
		return nil
	}
	unlock, ok := r.region.instances.try(r.cmd.InstanceID, r.prio())
	if !ok {
		return nil
	}
	turn := r.region.pacer(r.action()).try(r.prio())
	if turn == nil {
		unlock()
		return nil
	}
	e := &early{run: r, began: time.Now(), turn: turn, unlock: unlock, done: make(chan struct{})}
	e.giveOn = sync.OnceFunc(func() {
		e.cancel()
		turn.release()
		unlock()
	})
	ctx, e.cancel = context.WithDeadlineCause(ctx, r.expiry(), errExpired)
	e.expires = time.AfterFunc(earlyFor, e.giveOn)
	r.account.work.Go(func() {
		defer close(e.done)
		e.base, e.verdict, e.err = r.prepare(ctx, &e.request, nil)
	})
	return e
}

// isOpen reports that nothing keeps new work from the vendor.
func (r *region) isOpen() bool {
	select {
	case <-r.takenOver:
		return !r.breaker.isOpen()
	default:
		return false
	}
}

// drop gives up what was begun. A nil early has begun nothing.
func (e *early) drop() {
	if e != nil {
		e.expires.Stop()
		e.giveOn()
	}
}

// take makes what was begun early the run's own, once the token is. It reports whether
// there is anything left to take.
func (e *early) take() bool {
	if e == nil || !e.expires.Stop() {
		return false
	}
	e.run.unlock = e.unlock
	return true
}

// attempt goes on to the call.
func (e *early) attempt(ctx context.Context) (vendors.Verdict, error) {
	defer e.cancel()
	defer e.turn.release()
	r := e.run
	r.queues(e.began)
	r.paced(0)
	select {
	case <-e.done:
	case <-ctx.Done():
		return vendors.Verdict{}, context.Cause(ctx)
	}
	if e.err != nil || e.verdict.Kind != vendors.Done {
		return e.verdict, e.err
	}
	r.delivery.waiting.start()
	return r.execute(ctx, e.request, e.base, e.turn)
}
