package dispatch

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/ledger"
)

// Engine serves the accounts whose leases this replica holds. Make it with New,
// run it with Run.
type Engine struct {
	opts    Options
	ledger  *ledger.Store
	answers *answerer
	rules   rules
	metrics *Metrics
	log     *slog.Logger

	unanswered notice // that the ledger cannot be written
	full       notice // that it is full

	// hard ends the recording of what calls in flight have answered; set by Run.
	hard context.Context

	mu      sync.Mutex
	serving map[string]*account // by lease key
	closing sync.WaitGroup      // accounts lost or handed back that are not at rest yet
}

// New makes an engine. It does nothing until Run.
func New(o Options) *Engine {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	o.Timing = o.Timing.withDefaults()
	e := &Engine{opts: o, metrics: o.Metrics, log: o.Logger, rules: newRules(o), serving: map[string]*account{}}
	e.ledger = ledger.Open(o.Ledger, o.Replica)
	e.ledger.Conflict = e.metrics.LedgerConflicts.Inc
	e.ledger.Stuck, e.ledger.Room = e.stuck, e.room
	e.answers = &answerer{broker: o.Broker, subjects: o.Subjects, metrics: o.Metrics, log: o.Logger}
	for i := range o.Accounts {
		e.metrics.LeaseHeld.WithLabelValues(o.Accounts[i].Facts.Name, o.Accounts[i].Name).Set(0)
	}
	return e
}

// Run serves until ctx ends; then it drains: it stops pulling, gives waiting
// commands back, lets calls in flight be answered and recorded for at most
// grace, hands each lease back as its account comes to rest, and returns.
func (e *Engine) Run(ctx context.Context, grace time.Duration) {
	hard, finish := context.WithCancelCause(context.WithoutCancel(ctx))
	defer finish(errDrained)
	e.hard = hard
	ls := e.leases()
	var loops sync.WaitGroup
	in := &intake{broker: e.opts.Broker, subjects: e.opts.Subjects, answers: e.answers, rules: e.rules, metrics: e.metrics, log: e.log}
	loops.Go(func() { in.run(ctx, hard) })
	loops.Go(func() { e.survey(ctx) })
	loops.Go(func() { ls.run(ctx) })
	<-ctx.Done()
	stop := time.AfterFunc(grace, func() { finish(errDrained) })
	defer stop.Stop()
	loops.Wait()
	e.closing.Wait()
}

// leases makes the lease loop over the configured accounts.
func (e *Engine) leases() *leases {
	ls := &leases{
		kv: e.opts.Leases, ttl: e.opts.LeaseTTL, replica: e.opts.Replica, log: e.log,
		mine: map[string]*lease{}, others: map[string]sighting{}, freed: map[string]freedLease{}, closing: map[string]bool{}, rested: make(chan atRest),
		gained: e.gained, lost: e.lost, changed: e.leaseChanged,
	}
	for i := range e.opts.Accounts {
		ls.keys = append(ls.keys, accountKey(e.opts.Accounts[i].Facts.Name, e.opts.Accounts[i].Name))
	}
	return ls
}

// stuck tells of the ledger's bucket when it does not answer.
func (e *Engine) stuck(key string, since time.Duration, err error) {
	if e.unanswered.due(time.Now()) {
		e.log.Error("the ledger cannot be written; nothing is sent without it, trying on", "key", key, "since", since.Round(time.Second), "error", err)
	}
}

// leaseChanged counts what happens to leases.
func (e *Engine) leaseChanged(key, what string) {
	conf := e.byKey(key)
	e.metrics.LeaseChanges.WithLabelValues(conf.Facts.Name, conf.Name, what).Inc()
}

// gained begins to serve an account.
func (e *Engine) gained(key string, l *lease, earlier *spent) {
	conf := e.byKey(key)
	a := newAccount(e, conf, l, earlier)
	e.mu.Lock()
	e.serving[key] = a
	e.mu.Unlock()
	e.metrics.LeaseHeld.WithLabelValues(conf.Facts.Name, conf.Name).Set(1)
	go a.serve()
}

// lost stops serving an account and calls rested when it has come to rest. Calls
// in flight get the time of one call: their answers are still worth recording,
// and the ledger refuses the record if a new owner has moved on.
func (e *Engine) lost(key string, rested func(*spent)) {
	a := e.forget(key)
	if a == nil {
		go rested(nil)
		return
	}
	e.closing.Go(func() {
		a.close(a.conf.Timeout + time.Second)
		rested(a.spent())
	})
}

// forget takes an account out of service; its end is the caller's.
func (e *Engine) forget(key string) *account {
	e.mu.Lock()
	a := e.serving[key]
	delete(e.serving, key)
	e.mu.Unlock()
	if a != nil {
		e.metrics.LeaseHeld.WithLabelValues(a.conf.Facts.Name, a.conf.Name).Set(0)
	}
	return a
}

func (e *Engine) byKey(key string) *Account {
	for i := range e.opts.Accounts {
		a := &e.opts.Accounts[i]
		if accountKey(a.Facts.Name, a.Name) == key {
			return a
		}
	}
	return nil
}
