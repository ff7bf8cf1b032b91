package dispatch

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/sony/gobreaker/v2"
)

// region is one account's endpoint in one region: its adapter, its breaker, the
// pacer of each action, its instances and the work that is being followed.
type region struct {
	account   *account
	name      string
	vendor    vendors.Vendor
	breaker   *breaker
	instances *instances
	tracker   *tracker
	outlook   *outlook // nil if the vendor shows instances one by one only
	pools     map[vendors.Operation]*pool
	lanes     map[string]*lane // by subject
	woken     chan *lane       // lanes that have got something to do
	log       *slog.Logger
	// began is when the region was taken over. No call may leave in the window that
	// follows, in which the previous owner's last calls may count, unless earlier
	// tells of them.
	began   time.Time
	earlier *spent
	// takenOver is closed once everything an earlier owner held is known again, or will
	// not be; knowsAll tells which. busy are the instances on which it had sent work;
	// nil if it has not told.
	takenOver chan struct{}
	knowsAll  atomic.Bool
	busy      map[string]uint64

	mu     sync.Mutex
	pacers map[string]*pacer
}

// quotaWindow is the vendors' counting window that a new owner waits out.
const quotaWindow = time.Second

// newRegion prepares the service of a region. stored counts the commands that
// the broker has of each subject.
func newRegion(a *account, name string, stored map[string]uint64) (*region, error) {
	r := &region{
		account: a, name: name, instances: newInstances(), takenOver: make(chan struct{}),
		log:   a.log.With("region", name),
		began: time.Now(), earlier: a.earlier, busy: a.earlier.busy(name),
		pacers: map[string]*pacer{}, lanes: map[string]*lane{},
	}
	facts := a.conf.Facts.Name
	r.breaker = newBreaker(facts+"/"+a.conf.Name+"/"+name, a.conf.Breaker, r.log, func(s gobreaker.State) {
		a.metrics.BreakerState.WithLabelValues(facts, a.conf.Name, name).Set(float64(s))
		go r.breakerChanged()
	})
	r.showConfigured()
	vendor, err := a.conf.Connect(name, Hooks{Permit: r.permit, Observe: r.observe})
	if err != nil {
		return nil, err
	}
	r.vendor = vendor
	r.tracker = newTracker(r.vendor.Poll, a.conf.Track.Interval, a.conf.Facts.PollTogether)
	for op := range a.conf.Facts.Actions {
		for prio, name := range events.Priorities() {
			l := r.newLane(string(op), name, prio)
			l.stored = stored[l.subject] > 0
			// Commands of an operation that is switched off are answered by the
			// survey, without a consumer. But what is stored already may have
			// been sent before it was switched off, and has to be followed.
			if a.conf.Allow[string(op)] || l.stored {
				r.lanes[l.subject] = l
			}
		}
	}
	r.woken = make(chan *lane, len(r.lanes))
	r.makeShared()
	return r, nil
}

// showConfigured shows what the configuration says of the region, and that nothing is
// known against its credentials.
func (r *region) showConfigured() {
	m, conf := r.account.metrics, r.account.conf
	unauthorized := m.Unauthorized.WithLabelValues(conf.Facts.Name, conf.Name, r.name)
	unauthorized.Set(0)
	r.breaker.onRefused = func(refused bool) {
		unauthorized.Set(map[bool]float64{true: 1}[refused])
	}
	for action := range conf.Facts.Quotas {
		m.QuotaConfigured.WithLabelValues(conf.Facts.Name, conf.Name, r.name, action).Set(conf.pace(action))
	}
}

// pace is the configured calls per second of an action; infinite without a limit.
func (a *Account) pace(action string) float64 {
	if quota := a.Quota(action); quota > 0 {
		return quota
	}
	return math.Inf(1)
}

func (r *region) newLane(op, priority string, prio int) *lane {
	conf := r.account.conf
	id := events.Lane{Vendor: conf.Facts.Name, Account: conf.Name, Region: r.name, Operation: op, Priority: priority}
	quota := conf.Quota(conf.Facts.Actions[vendors.Operation(op)])
	waiting := mostWaiting
	if quota > 0 {
		waiting = min(mostWaiting, max(leastWaiting, int(quota)))
	}
	if prio == prioBulk {
		waiting = max(waiting, 2*conf.Facts.Coalesce[vendors.Operation(op)])
	}
	return &lane{id: id, subject: r.account.subjects.Lane(id), region: r, prio: prio, maxHeld: conf.MaxInFlight, maxWaiting: waiting, room: make(chan struct{}, 1)}
}

// serve runs the region until ctx ends and returns when all its goroutines have.
func (r *region) serve(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { r.breaker.watch(ctx, r.account.conf.Breaker.Open, r.probe) })
	all.Go(func() { r.tracker.run(ctx) })
	defer r.listen()()
	stored := r.storedLanes()
	recovering, err := r.openLanes(ctx, stored)
	if err != nil {
		r.log.Info("region stopped before its lanes were open", "error", err)
		close(r.takenOver)
		return
	}
	var recovered sync.WaitGroup
	for i, l := range stored {
		recovered.Add(1)
		all.Go(func() { l.pull(ctx, recovering[i], recovered.Done) })
	}
	all.Go(func() {
		recovered.Wait()
		r.knowsAll.Store(ctx.Err() == nil)
		close(r.takenOver)
	})
	r.openWoken(ctx, &all)
	for _, p := range r.allPacers() {
		p.stop()
	}
}

// makeShared makes what commands share: look-ups and calls for many instances, and
// the quotas of which the owner before us has told.
func (r *region) makeShared() {
	facts := r.account.conf.Facts
	if v, ok := r.vendor.(vendors.Surveyor); ok && facts.Survey > 1 {
		r.outlook = newOutlook(r.account, v)
	}
	r.pools = map[vendors.Operation]*pool{}
	if v, ok := r.vendor.(vendors.Coalescer); ok {
		for op, most := range facts.Coalesce {
			r.pools[op] = &pool{region: r, vendor: v, action: facts.Actions[op], most: most}
		}
	}
	if r.earlier != nil {
		for action := range r.earlier.Calls[r.name] {
			r.pacer(action) // it counts them, and tells of them in its turn
		}
	}
}

// recovered returns once new work may start on the instance: it is not one of those on
// which the owner before had sent work, or all of that is known again.
func (r *region) recovered(ctx context.Context, id string) error {
	if _, busy := r.busy[id]; r.busy != nil && !busy {
		return nil
	}
	select {
	case <-r.takenOver:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pacer returns the pacer of an action.
func (r *region) pacer(action string) *pacer {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pacers[action]
	if p == nil {
		conf := r.account.conf
		ages, known := r.earlier.calls(r.name, action)
		meters := r.account.metrics.meters(conf.Facts.Name, conf.Name, r.name, action)
		quota := conf.Quota(action)
		opens := r.began
		if quota > 0 && !known {
			// A quota of less than one call a second has a longer window.
			opens = r.began.Add(max(quotaWindow, time.Duration(float64(time.Second)/quota)))
		}
		p = newPacer(quota, opens, meters.limit.Set)
		p.meters = meters
		if known {
			p.resume(ages, r.earlier.heard)
		}
		p.setClosed(r.breaker.isOpen())
		r.pacers[action] = p
	}
	return p
}

func (r *region) allPacers() []*pacer {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*pacer, 0, len(r.pacers))
	for _, p := range r.pacers {
		out = append(out, p)
	}
	return out
}

// breakerChanged stops or starts the turns of every action.
func (r *region) breakerChanged() {
	for _, p := range r.allPacers() {
		p.setClosed(r.breaker.isOpen())
	}
}

// permit is the adapter's hook before each look-up.
func (r *region) permit(ctx context.Context, action string) error {
	if isProbe(ctx) {
		return r.pacer(action).probe(ctx)
	}
	r.account.asksFor(ctx, action)
	asked := time.Now()
	if !r.account.lease.valid() {
		return errFenced
	}
	if err := r.breaker.wait(ctx); err != nil {
		return err
	}
	p := r.pacer(action)
	turn, err := p.wait(ctx, priorityOf(ctx))
	if err != nil {
		return err
	}
	defer turn.release()
	err = turn.permit(ctx)
	p.meters.wait.Observe(time.Since(asked).Seconds())
	return err
}

// observe is the adapter's hook after each call.
func (r *region) observe(action string, v vendors.Verdict, took time.Duration) {
	p := r.pacer(action)
	p.meters.called(v.Kind, took)
	switch v.Kind {
	case vendors.Throttled:
		p.throttled(v.RetryAfter)
	case vendors.Unauthorized:
		if !r.account.lease.valid() {
			return // a call that was frozen until its signature lapsed; the key is fine
		}
		// A wrong key is wrong in every region; it must not burn a queue.
		r.log.Error("the vendor refuses our credentials", "action", action, "code", v.Response.Code, "message", v.Message)
		r.account.tripAll()
		return
	default:
		p.answered(took)
	}
	r.breaker.record(v.Kind)
}

// probe is the half-open breaker's look-up; it passes the breaker, but not the
// limiter: others may have used up the window before the breaker opened.
func (r *region) probe(ctx context.Context) vendors.Verdict {
	if !r.account.lease.valid() {
		return vendors.Verdict{Kind: vendors.Throttled}
	}
	return r.vendor.Probe(context.WithValue(ctx, probeKey{}, true))
}

type probeKey struct{}

func isProbe(ctx context.Context) bool { return ctx.Value(probeKey{}) != nil }

type priorityKey struct{}

// withPriority lets look-ups queue with the priority of their command.
func withPriority(ctx context.Context, prio int) context.Context {
	return context.WithValue(ctx, priorityKey{}, prio)
}

// priorityOf is the priority of a look-up; polls have none and queue as normal.
func priorityOf(ctx context.Context) int {
	if prio, ok := ctx.Value(priorityKey{}).(int); ok {
		return prio
	}
	return prioNormal
}
