package dispatch

import (
	"context"
	"math"
	"slices"
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
	// maxStaged bounds the commands between their turn and their call.
	maxStaged = 256
	// leadFloor is the least head start a turn gets for look-up, signature and
	// intent.
	leadFloor = 2 * time.Millisecond
	leadCeil  = 2 * time.Second
)

// pacer hands out the calls of one quota: one API action of one account in one
// region. A command first gets its turn; then it prepares, signs and records its
// intent; and only then takes its permit, so that neither slow look-ups nor slow
// disks disturb the even spacing at the vendor's end.
//
// Turns run ahead of permits by no more than the preparation takes. What is being
// prepared does not keep a more urgent command from its turn, nor from the next
// permit.
type pacer struct {
	mu      sync.Mutex
	limiter *rate.Limiter
	full    rate.Limit // the configured quota less the margin
	// unlimited: no quota is configured, so that its calls count in no window.
	unlimited bool
	waiting   [priorities][]*turn
	staged    [priorities]int // turns given, permit not yet asked for
	// lead is how long preparing takes on average, swing how far it is off that.
	lead, swing time.Duration
	closed      bool        // no turns: the breaker is open
	timer       *time.Timer // of the next turn
	permits     permits
	adapt       adaptation
	meters      *meters
	onLimit     func(perSecond float64)
}

// turn is a place in a pacer's queue, then the right to prepare one call.
type turn struct {
	p       *pacer
	prio    int
	ready   chan struct{}
	granted time.Time
	staged  bool   // counts in p.staged
	call    uint64 // the number of its call in the window, once it has its permit
}

// newPacer makes a pacer for a quota in calls per second; zero means no limit.
// No permit is given before notUntil.
func newPacer(perSecond float64, notUntil time.Time, onLimit func(float64)) *pacer {
	limit := rate.Limit(perSecond * quotaMargin)
	if perSecond <= 0 {
		limit = rate.Inf
	}
	// The window is the hard bound; a burst of what falls into its slack makes up for
	// timers that are late.
	burst := 1 + int(min(perSecond, 1000)*(1/quotaMargin-1))
	p := &pacer{full: limit, unlimited: perSecond <= 0, limiter: rate.NewLimiter(limit, burst), lead: leadFloor, onLimit: onLimit}
	p.permits.window, p.permits.notUntil = newWindow(perSecond), notUntil
	p.timer = stoppedTimer(p.wake)
	p.permits.timer = stoppedTimer(p.wakePermits)
	p.report()
	return p
}

// stoppedTimer makes a timer that calls f once it has been set.
func stoppedTimer(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

// wait returns a turn once it is this caller's, or the context's cause. The
// caller must end it with release.
func (p *pacer) wait(ctx context.Context, prio int) (*turn, error) {
	t := p.next(prio)
	return t, t.come(ctx)
}

// next takes a place in the queue. The caller must wait with come.
func (p *pacer) next(prio int) *turn {
	t := &turn{p: p, prio: prio, ready: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[prio] = append(p.waiting[prio], t)
	p.grant()
	return t
}

// has reports whether the turn has come.
func (t *turn) has() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// come waits for the turn, which the caller must end with release. With an error, the
// context's cause, there is none.
func (t *turn) come(ctx context.Context) error {
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
		t.p.leave(t)
		return context.Cause(ctx)
	}
}

// leave takes a turn out of the queue, or gives it back if it was just granted.
func (p *pacer) leave(t *turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting[t.prio], t); i >= 0 {
		p.waiting[t.prio] = slices.Delete(p.waiting[t.prio], i, i+1)
		return
	}
	p.unstage(t)
}

// grant gives turns while there is room, most urgent first, and sets the timer for
// the next one. The caller holds the lock.
func (p *pacer) grant() {
	if p.closed {
		return
	}
	now := time.Now()
	next := time.Duration(math.MaxInt64)
	for prio := range priorities {
		for len(p.waiting[prio]) > 0 && p.mayStage(prio) {
			if early := p.untilPermit(now, prio) - p.headStart(); early > 0 {
				next = min(next, early)
				break
			}
			p.stage(now, prio)
		}
	}
	if next < math.MaxInt64 {
		p.timer.Reset(next)
	}
}

// stage gives the first of a priority its turn. The caller holds the lock.
func (p *pacer) stage(now time.Time, prio int) {
	t := p.waiting[prio][0]
	p.waiting[prio][0] = nil
	p.waiting[prio] = p.waiting[prio][1:]
	p.hand(t, now)
	close(t.ready)
}

// hand gives a turn. The caller holds the lock.
func (p *pacer) hand(t *turn, now time.Time) {
	t.granted, t.staged = now, true
	p.staged[t.prio]++
}

// mayStage reports whether one more of a priority may prepare. The caller holds the
// lock.
func (p *pacer) mayStage(prio int) bool { return p.ahead(prio) < p.room() }

// ahead counts those in preparation that a command of a priority does not pass.
// Less urgent ones take nothing from it; and one of each priority is got ready
// whatever goes before it, so that its share is not lost. The caller holds the lock.
func (p *pacer) ahead(prio int) (n int) {
	if p.staged[prio]+p.permits.queued(prio) == 0 {
		return 0
	}
	for i := range prio + 1 {
		n += p.staged[i]
	}
	return n
}

// wake is the timer's: the next permit has come near.
func (p *pacer) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapted(time.Now())
	p.grant()
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

// headStart is how long before its permit a turn is given: most are prepared by then,
// as a permit that finds nobody ready is lost.
func (p *pacer) headStart() time.Duration {
	return min(leadCeil, p.lead+2*p.swing+leadFloor)
}

// untilPermit is when a further turn of a priority could have its permit, after
// all that it does not pass. The caller holds the lock.
func (p *pacer) untilPermit(now time.Time, prio int) time.Duration {
	closed := p.permits.notUntil.Sub(now)
	limit := p.limiter.Limit()
	if limit == rate.Inf {
		return max(0, closed)
	}
	// Those that wait for their permit have been taken off the tokens already.
	passes := 0
	for i := prio + 1; i < priorities; i++ {
		passes += p.permits.queued(i)
	}
	missing := 1 + float64(p.ahead(prio)-passes) - p.limiter.TokensAt(now)
	return max(time.Duration(max(0, missing)/float64(limit)*float64(time.Second)), closed)
}

// waits reports whether anything of a priority is on its way to a permit. The
// caller holds the lock.
func (p *pacer) waits(prio int) bool {
	return len(p.waiting[prio])+p.staged[prio]+p.permits.queued(prio) > 0
}

// permit takes one call of the quota and returns when it may leave. It is called
// at most once a turn. An error is the context's cause; then nothing was taken.
func (t *turn) permit(ctx context.Context) error {
	p := t.p
	p.mu.Lock()
	took := time.Since(t.granted)
	p.swing += (max(took-p.lead, p.lead-took) - p.swing) / 8
	p.lead += (took - p.lead) / 8
	k := p.queue(t.prio)
	p.unstage(t)
	p.mu.Unlock()
	if err := p.await(ctx, k); err != nil {
		return err
	}
	t.call = k.call
	return nil
}

// probe takes one call of the quota for a call that has no turn: the breaker's,
// while there are none.
func (p *pacer) probe(ctx context.Context) error {
	p.mu.Lock()
	k := p.queue(prioUrgent)
	p.mu.Unlock()
	return p.await(ctx, k)
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
		p.staged[t.prio]--
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

// stop ends the timer of turns; what waits for its permit still gets it.
func (p *pacer) stop() { p.timer.Stop() }

// report tells the limit in force.
func (p *pacer) report() {
	if p.onLimit == nil {
		return
	}
	if p.full == rate.Inf && p.limiter.Limit() == rate.Inf {
		p.onLimit(math.Inf(1))
		return
	}
	p.onLimit(float64(p.limiter.Limit()) / quotaMargin)
}
