package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/recent"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Causes of the end of an account's service.
var (
	errStopping = errors.New("the account is being handed on")
	errDrained  = errors.New("the time for finishing calls is over")
)

// knownTokens is how many tokens an account remembers, at least, to tell duplicates
// from what is new.
const knownTokens = 1024

// account serves one account for as long as this replica owns it.
//
// It has two contexts: soft ends waiting, following and pulling; hard ends the
// recording of what calls in flight have answered, and comes later.
type account struct {
	conf     *Account
	replica  string
	broker   Broker
	subjects events.Subjects
	ledger   *ledger.Store
	answers  *answerer
	rules    rules
	proven   proof
	metrics  *Metrics
	tracer   Tracer // nil if nothing is traced
	lease    *lease
	earlier  *spent // what the owner before has told of its calls; nil if nothing
	timing   Timing
	rand     func() float64
	log      *slog.Logger
	hands    *hands
	crew     *crew
	noting   noting
	fenced   notice // that the ledger refuses our writes

	soft, hard   context.Context
	stop, finish context.CancelCauseFunc
	work         sync.WaitGroup // deliveries in work
	ended        chan struct{}  // closed when serve has returned

	mu      sync.Mutex
	runs    map[string]*run     // by token key
	recent  recent.Keys         // of tokens
	left    map[string]sentWork // what no run works on any more, by token key
	regions []*region
	opened  bool // regions holds all there will be
}

// newAccount prepares the service of an account; serve begins it.
func newAccount(e *Engine, conf *Account, l *lease, earlier *spent) *account {
	a := &account{
		conf: conf, replica: e.opts.Replica, broker: e.opts.Broker, subjects: e.opts.Subjects, ledger: e.ledger,
		answers: e.answers, rules: e.rules, proven: e.opts.Proven, metrics: e.metrics, tracer: e.opts.Tracer, lease: l, earlier: earlier,
		hands: newHands(), crew: newCrew(), noting: newNoting(),
		timing: e.opts.Timing, rand: e.opts.Rand,
		log:   e.log.With("vendor", conf.Facts.Name, "account", conf.Name),
		ended: make(chan struct{}), runs: map[string]*run{}, left: map[string]sentWork{}, recent: recent.Keys{Limit: knownTokens},
	}
	a.soft, a.stop = context.WithCancelCause(context.Background())
	a.hard, a.finish = context.WithCancelCause(e.hard)
	return a
}

// serve runs the account until stop is called, then lets deliveries in work come
// to rest, and returns.
func (a *account) serve() {
	defer close(a.ended)
	defer a.finish(errDrained)
	var regions sync.WaitGroup
	stored := a.stored(a.soft)
	a.open(stored)
	for _, r := range a.serving() {
		regions.Go(func() { r.serve(a.soft) })
	}
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		a.hands.keepAlive(a.hard, a.crew.trim)
	}()
	regions.Wait()
	a.work.Wait()
	a.finish(errDrained)
	<-beating
	a.crew.all.Wait()
	a.metrics.retire(a.conf.Facts.Name, a.conf.Name)
}

// open makes the regions.
func (a *account) open(stored map[string]uint64) {
	var regions []*region
	for _, name := range a.conf.Regions {
		r, err := newRegion(a, name, stored)
		if err != nil {
			a.log.Error("region cannot be served", "region", name, "error", err)
			continue
		}
		regions = append(regions, r)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions, a.opened = regions, true
}

// stored counts the commands that the broker has of each of the account's subjects;
// it asks until that is known or ctx ends.
func (a *account) stored(ctx context.Context) map[string]uint64 {
	for {
		stored, err := a.broker.WaitingOf(ctx, a.conf.Facts.Name, a.conf.Name)
		if err == nil {
			return stored
		}
		a.log.Debug("cannot ask which commands are stored; trying on", "error", err)
		if sleep(ctx, laneRetry) != nil {
			return nil
		}
	}
}

// close stops the account: waiting work goes back to the broker at once, calls
// in flight have until grace to be answered and recorded.
func (a *account) close(grace time.Duration) {
	a.stop(errStopping)
	t := time.AfterFunc(grace, func() { a.finish(errDrained) })
	defer t.Stop()
	<-a.ended
}

func (a *account) serving() []*region {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.regions
}

// tripAll opens the breaker of every region.
func (a *account) tripAll() {
	for _, r := range a.serving() {
		r.breaker.trip()
	}
}

// stage records how long a command spent in a stage of its life.
func (a *account) stage(name string, d time.Duration) {
	a.metrics.stages[name].Observe(d.Seconds())
}

// serves reports whether a lane's subject has a consumer here, or gets one as soon
// as its region can be reached.
func (a *account) serves(subject string) bool {
	if id, ok := a.subjects.ParseLane(subject); ok && a.configured(id) {
		return true
	}
	return a.lane(subject) != nil || !a.ready()
}

// lane returns the lane of a subject, or nil.
func (a *account) lane(subject string) *lane {
	for _, r := range a.serving() {
		if l := r.lanes[subject]; l != nil {
			return l
		}
	}
	return nil
}

// configured reports whether the configuration gives the lane a consumer.
func (a *account) configured(id events.Lane) bool {
	return a.conf.names(id) && a.conf.Allow[id.Operation] && a.conf.Facts.Supports(vendors.Operation(id.Operation))
}

// ready reports whether all regions are open: before, it is not known which lanes
// there are besides the configured ones.
func (a *account) ready() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.opened
}

// answerStray settles the commands of a subject that no lane serves: an unknown
// region, operation or priority, or one that is not supported or not allowed.
func (a *account) answerStray(ctx context.Context, subject string) {
	for ctx.Err() == nil {
		m, err := a.broker.First(ctx, subject)
		if err != nil {
			if !errors.Is(err, broker.ErrNotFound) {
				a.log.Debug("cannot read stray command; trying on", "subject", subject, "error", err)
			}
			return
		}
		a.metrics.Received.Inc()
		if err := a.refuseStray(m); err != nil {
			a.log.Debug("stray command stays for now", "subject", subject, "error", err)
			return
		}
		if err := m.Ack(a.hard); err != nil {
			a.log.Debug("cannot remove answered command", "subject", subject, "error", err)
			return
		}
	}
}

// refuseStray answers one stray message.
func (a *account) refuseStray(m broker.Message) error {
	id, known := a.subjects.ParseLane(m.Subject())
	var refusal *refusalError
	var bad *events.Undecodable
	cmd, err := read(m, id, a.proven)
	switch {
	case errors.As(err, &bad):
		return a.answers.deadLetter(a.hard, m, bad)
	case errors.As(err, &refusal):
		return a.answers.refuse(a.hard, refusal.cmd, refusal.why)
	}
	why := a.rules.check(cmd, time.Now())
	if resumes, err := a.resumes(a.hard, m, cmd, why); err != nil {
		return err
	} else if resumes {
		return a.abandon(cmd, why)
	}
	if why == nil {
		// The subject has no lane, yet nothing is wrong with the command.
		why = rejected(events.ReasonSubjectMismatch, "no lane serves the subject "+m.Subject(), "publish to the subject of the command's own lane, or to the intake")
		if known && a.serves(m.Subject()) {
			return errors.New("a lane serves it by now")
		}
	}
	return a.answers.refuse(a.hard, cmd, why)
}

// abandon ends a command that had begun before the configuration stopped naming
// what it needs: nobody can follow it any more.
func (a *account) abandon(cmd events.Command, why *events.Refusal) error {
	e, err := a.ledger.Get(a.hard, cmd.Key)
	if err != nil {
		return err
	}
	if _, told := e.ToldReused(eventKey(cmd)); told || e.Fingerprint != cmd.Fingerprint() {
		return a.refuseReuse(a.hard, cmd, e)
	}
	r := &run{account: a, cmd: cmd, first: firstCommand(e), entry: e}
	switch e.State {
	case ledger.Final:
		return r.announceAgain()
	case ledger.Claimed:
		if err := e.Save(a.hard, (*ledger.Record).Free); err != nil {
			return err
		}
		return a.answers.refuse(a.hard, cmd, why)
	}
	return r.undetermined("it was sent before the configuration was changed, and now "+why.Message, nil)
}
