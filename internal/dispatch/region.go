package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/errgroup"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
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
	lanes     []*lane
	log       *slog.Logger
	// opensAt is before when no call may leave: the previous owner's last calls
	// are still in the vendor's window.
	opensAt time.Time
	// takenOver is closed once everything an earlier owner held is known again.
	takenOver chan struct{}

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
		log:     a.log.With("region", name),
		opensAt: time.Now().Add(quotaWindow),
		pacers:  map[string]*pacer{},
	}
	facts := a.conf.Facts.Name
	r.breaker = newBreaker(facts+"/"+a.conf.Name+"/"+name, a.conf.Breaker, r.log, func(s gobreaker.State) {
		a.metrics.BreakerState.WithLabelValues(facts, a.conf.Name, name).Set(float64(s))
		go r.breakerChanged()
	})
	vendor, err := a.conf.Connect(name, Hooks{Permit: r.permit, Observe: r.observe})
	if err != nil {
		return nil, err
	}
	r.vendor = vendor
	r.tracker = newTracker(r.vendor.Poll, a.conf.Track.Interval)
	for op := range a.conf.Facts.Actions {
		for prio, name := range events.Priorities() {
			l := r.newLane(string(op), name, prio)
			// Commands of an operation that is switched off are answered by the
			// survey, without a consumer. But what is stored already may have
			// been sent before it was switched off, and has to be followed.
			if a.conf.Allow[string(op)] || stored[a.subjects.Lane(l.id)] > 0 {
				r.lanes = append(r.lanes, l)
			}
		}
	}
	return r, nil
}

func (r *region) newLane(op, priority string, prio int) *lane {
	conf := r.account.conf
	id := events.Lane{Vendor: conf.Facts.Name, Account: conf.Name, Region: r.name, Operation: op, Priority: priority}
	quota := conf.Quota(conf.Facts.Actions[vendors.Operation(op)])
	waiting := mostWaiting
	if quota > 0 {
		waiting = min(mostWaiting, max(leastWaiting, int(quota/2)))
	}
	return &lane{id: id, region: r, prio: prio, maxHeld: conf.MaxInFlight, maxWaiting: waiting, room: make(chan struct{}, 1)}
}

// serve runs the region until ctx ends and returns when all its goroutines have.
func (r *region) serve(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { r.breaker.watch(ctx, r.account.conf.Breaker.Open, r.probe) })
	all.Go(func() { r.tracker.run(ctx) })
	recovering, err := r.openLanes(ctx)
	if err != nil {
		r.log.Info("region stopped before its lanes were open", "error", err)
		close(r.takenOver)
		return
	}
	var recovered sync.WaitGroup
	for i, l := range r.lanes {
		recovered.Add(1)
		all.Go(func() { l.pull(ctx, recovering[i], recovered.Done) })
	}
	recovered.Wait()
	close(r.takenOver)
	<-ctx.Done()
	for _, p := range r.allPacers() {
		p.stop()
	}
}

// lanesAtOnce bounds the lanes of a region that are opened together: a cluster may
// take seconds for each.
const lanesAtOnce = 8

// openLanes makes the consumers and takes back what an earlier owner left in
// them. It tries until it succeeds or ctx ends.
func (r *region) openLanes(ctx context.Context) (recovering []int, err error) {
	recovering = make([]int, len(r.lanes))
	var all errgroup.Group
	all.SetLimit(lanesAtOnce)
	for i, l := range r.lanes {
		all.Go(func() (err error) {
			recovering[i], err = l.openAtLast(ctx)
			return err
		})
	}
	return recovering, all.Wait()
}

// openAtLast is open, tried until it succeeds or ctx ends.
func (l *lane) openAtLast(ctx context.Context) (recovering int, err error) {
	for try := 0; ; try++ {
		if recovering, err = l.open(ctx); err == nil {
			return recovering, nil
		}
		if try%30 == 0 {
			l.region.log.Warn("cannot open lane; trying on", "lane", l.id, "error", err)
		}
		if sleep(ctx, laneRetry) != nil {
			return 0, err
		}
	}
}

// open makes the lane's consumer; what is unacknowledged in it was an earlier
// owner's and is called back.
func (l *lane) open(ctx context.Context) (recovering int, err error) {
	a := l.region.account
	if l.queue == nil {
		l.queue, err = a.broker.Lane(ctx, a.subjects.Lane(l.id), ackWait, l.maxHeld)
		if err != nil {
			l.queue = nil
			return 0, err
		}
	}
	if recovering, err = l.queue.Unacked(ctx); err != nil || recovering == 0 {
		return recovering, err
	}
	if recovering > l.maxHeld {
		// The limit was lowered since; all of them must fit to be taken over.
		l.maxHeld = recovering
		if l.queue, err = a.broker.Lane(ctx, a.subjects.Lane(l.id), ackWait, l.maxHeld); err != nil {
			l.queue = nil
			return 0, err
		}
	}
	return recovering, l.queue.Reset(ctx)
}

// recovered returns once new work may start in the region.
func (r *region) recovered(ctx context.Context) error {
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
		gauge := r.account.metrics.QuotaLimit.WithLabelValues(conf.Facts.Name, conf.Name, r.name, action)
		quota := conf.Quota(action)
		opens := r.opensAt
		if quota > 0 {
			// A quota of less than one call a second has a longer window.
			opens = opens.Add(max(0, time.Duration(float64(time.Second)/quota)-quotaWindow))
		}
		p = newPacer(quota, opens, gauge.Set)
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
	asked := time.Now()
	if !r.account.lease.valid() {
		return errFenced
	}
	if err := r.breaker.wait(ctx); err != nil {
		return err
	}
	turn, err := r.pacer(action).wait(ctx, priorityOf(ctx))
	if err != nil {
		return err
	}
	defer turn.release()
	err = turn.permit(ctx)
	r.quotaWait(action, time.Since(asked))
	return err
}

// observe is the adapter's hook after each call.
func (r *region) observe(action string, v vendors.Verdict, took time.Duration) {
	conf, m := r.account.conf, r.account.metrics
	m.Requests.WithLabelValues(conf.Facts.Name, conf.Name, r.name, action, v.Kind.String()).Inc()
	m.RequestDuration.WithLabelValues(conf.Facts.Name, conf.Name, r.name, action).Observe(took.Seconds())
	switch v.Kind {
	case vendors.Throttled:
		r.pacer(action).throttled(v.RetryAfter)
	case vendors.Unauthorized:
		if !r.account.lease.valid() {
			return // a call that was frozen until its signature lapsed; the key is fine
		}
		// A wrong key is wrong in every region; it must not burn a queue.
		r.log.Error("the vendor refuses our credentials", "action", action, "code", v.Response.Code, "message", v.Message)
		r.account.tripAll()
		return
	}
	r.breaker.record(v.Kind)
}

func (r *region) quotaWait(action string, d time.Duration) {
	conf := r.account.conf
	r.account.metrics.QuotaWait.WithLabelValues(conf.Facts.Name, conf.Name, r.name, action).Observe(d.Seconds())
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
