package dispatch

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Priorities as indexes, most urgent first.
const (
	prioUrgent = iota
	prioNormal
	prioBulk
	priorities
)

const (
	// maxPassed is how many calls may go to others while a lower priority
	// waits. The promise is one in ten; the rest is for calls that were already
	// being prepared when its turn came.
	maxPassed = 8
	// maxStaged bounds the commands between their turn and their call.
	maxStaged = 256
	// leadFloor is the least head start a turn gets for look-up, signature and
	// intent.
	leadFloor = 2 * time.Millisecond
	leadCeil  = 2 * time.Second
)

// pacer hands out the calls of one quota: one API action of one account in one
// region. A command first gets its turn, most urgent first; then it prepares,
// signs and records its intent; and only then takes its permit, so that neither
// slow look-ups nor slow disks disturb the even spacing at the vendor's end.
//
// Turns run ahead of permits by no more than the preparation takes, so that an
// urgent command finds at most those before it that are being prepared.
type pacer struct {
	mu       sync.Mutex
	limiter  *rate.Limiter
	window   *window
	full     rate.Limit // the configured quota less the margin
	waiting  [priorities][]*turn
	passed   [priorities]int
	staged   int // turns given, permit not yet taken
	lead     time.Duration
	closed   bool      // no turns: the breaker is open
	notUntil time.Time // no permit before: the previous owner's window
	timer    *time.Timer
	adapt    adaptation
	onLimit  func(perSecond float64)
}

// turn is a place in a pacer's queue, then the right to prepare one call.
type turn struct {
	p       *pacer
	prio    int
	ready   chan struct{}
	granted time.Time
	staged  bool // counts in p.staged
}

// newPacer makes a pacer for a quota in calls per second; zero means no limit.
// No permit is given before notUntil.
func newPacer(perSecond float64, notUntil time.Time, onLimit func(float64)) *pacer {
	limit := rate.Limit(perSecond * quotaMargin)
	if perSecond <= 0 {
		limit = rate.Inf
	}
	p := &pacer{full: limit, limiter: rate.NewLimiter(limit, 1), window: newWindow(perSecond), lead: leadFloor, notUntil: notUntil, onLimit: onLimit}
	p.timer = time.AfterFunc(time.Hour, p.wake)
	p.timer.Stop()
	p.report()
	return p
}

// wait returns a turn once it is this caller's, or the context's cause. The
// caller must end it with release.
func (p *pacer) wait(ctx context.Context, prio int) (*turn, error) {
	t := &turn{p: p, prio: prio, ready: make(chan struct{})}
	p.mu.Lock()
	p.waiting[prio] = append(p.waiting[prio], t)
	p.grant()
	p.mu.Unlock()
	select {
	case <-t.ready:
		return t, nil
	case <-ctx.Done():
		p.leave(t)
		return nil, context.Cause(ctx)
	}
}

// leave takes a turn out of the queue, or gives it back if it was just granted.
func (p *pacer) leave(t *turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.waiting[t.prio]
	for i, w := range queue {
		if w == t {
			p.waiting[t.prio] = append(queue[:i], queue[i+1:]...)
			return
		}
	}
	p.unstage(t)
}

// grant gives turns while there is room. The caller holds the lock.
func (p *pacer) grant() {
	for !p.closed && p.anyWaiting() && p.staged < p.room() {
		now := time.Now()
		if ahead := p.untilPermit(now) - p.headStart(); ahead > 0 {
			p.timer.Reset(ahead)
			return
		}
		t := p.pick()
		t.granted, t.staged = now, true
		p.staged++
		close(t.ready)
	}
}

// wake is the timer's: the next permit has come near.
func (p *pacer) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapted(time.Now())
	p.grant()
}

func (p *pacer) anyWaiting() bool {
	return len(p.waiting[prioUrgent])+len(p.waiting[prioNormal])+len(p.waiting[prioBulk]) > 0
}

// room is how many commands may be in preparation: as many calls as fall into the
// time that preparing takes, and one.
func (p *pacer) room() int {
	if p.limiter.Limit() == rate.Inf {
		return maxStaged
	}
	ahead := float64(p.limiter.Limit()) * p.headStart().Seconds()
	return min(maxStaged, 1+int(math.Ceil(ahead*1.2-0.2)))
}

// headStart is how long before its permit a turn is given.
func (p *pacer) headStart() time.Duration {
	return min(leadCeil, p.lead*3/2+leadFloor)
}

// untilPermit is when a further turn could have its permit, after all that were
// given before. The caller holds the lock.
func (p *pacer) untilPermit(now time.Time) time.Duration {
	limit := p.limiter.Limit()
	if limit == rate.Inf {
		return max(0, p.notUntil.Sub(now))
	}
	missing := 1 + float64(p.staged) - p.limiter.TokensAt(now)
	d := time.Duration(max(0, missing) / float64(limit) * float64(time.Second))
	return max(d, p.notUntil.Sub(now))
}

// pick takes the next turn off the queues: a priority that was passed over often
// enough, lowest first; otherwise the most urgent. The caller holds the lock.
func (p *pacer) pick() *turn {
	chosen := -1
	for prio := priorities - 1; prio >= 0 && chosen < 0; prio-- {
		if len(p.waiting[prio]) > 0 && p.passed[prio] >= maxPassed {
			chosen = prio
		}
	}
	for prio := 0; chosen < 0; prio++ {
		if len(p.waiting[prio]) > 0 {
			chosen = prio
		}
	}
	for prio := range priorities {
		if prio > chosen && len(p.waiting[prio]) > 0 {
			p.passed[prio]++
		}
	}
	p.passed[chosen] = 0
	t := p.waiting[chosen][0]
	p.waiting[chosen][0] = nil
	p.waiting[chosen] = p.waiting[chosen][1:]
	return t
}

// permit takes one call of the quota and returns when it may leave. It is called
// at most once a turn. An error is the context's cause; then nothing was taken.
func (t *turn) permit(ctx context.Context) error {
	p := t.p
	p.mu.Lock()
	now := time.Now()
	p.lead += (now.Sub(t.granted) - p.lead) / 8
	p.adapted(now)
	r, delay := p.reserve(now)
	p.unstage(t)
	p.mu.Unlock()
	return p.hold(ctx, r, delay)
}

// probe takes one call of the quota for a call that has no turn: the breaker's,
// while there are none.
func (p *pacer) probe(ctx context.Context) error {
	p.mu.Lock()
	r, delay := p.reserve(time.Now())
	p.mu.Unlock()
	return p.hold(ctx, r, delay)
}

// reserve takes the next call of the quota and says when it may leave. The caller
// holds the lock.
func (p *pacer) reserve(now time.Time) (*rate.Reservation, time.Duration) {
	r := p.limiter.ReserveN(now, 1)
	return r, max(r.DelayFrom(now), p.notUntil.Sub(now))
}

// hold returns when a reserved call may leave.
func (p *pacer) hold(ctx context.Context, r *rate.Reservation, delay time.Duration) error {
	if err := context.Cause(ctx); err != nil {
		r.Cancel()
		return err
	}
	if delay <= 0 {
		delay = p.depart()
	}
	for ; delay > 0; delay = p.depart() {
		if err := sleep(ctx, delay); err != nil {
			r.Cancel()
			return err
		}
	}
	return nil
}

// depart lets a call go that has its permit, or says how long it has to be held
// back.
func (p *pacer) depart() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	wait := p.window.wait(now)
	if wait == 0 {
		p.window.leave(now)
	}
	return wait
}

// release ends the turn, whether or not it took its permit.
func (t *turn) release() {
	t.p.mu.Lock()
	defer t.p.mu.Unlock()
	t.p.unstage(t)
}

// unstage lets the next one prepare. The caller holds the lock.
func (p *pacer) unstage(t *turn) {
	if t.staged {
		t.staged = false
		p.staged--
	}
	p.grant()
}

// setClosed stops turns while the breaker is open, and lets them go on.
func (p *pacer) setClosed(closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = closed
	p.grant()
}

// stop ends the pacer's timer.
func (p *pacer) stop() { p.timer.Stop() }

// report tells the limit in force.
func (p *pacer) report() {
	if p.onLimit == nil {
		return
	}
	if p.full == rate.Inf {
		p.onLimit(math.Inf(1))
		return
	}
	p.onLimit(float64(p.limiter.Limit()) / quotaMargin)
}
