package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// replica is one process: the real engine behind a link.
type replica struct {
	link   *link
	slot   int
	cancel context.CancelFunc
	done   chan struct{}
}

// start begins a new process in a slot; every one has a name of its own.
func (w *world) start(slot int) {
	w.mu.Lock()
	name := fmt.Sprintf("s%d-%d", slot, len(w.replicas))
	r := &replica{link: newLink(w, name), slot: slot, done: make(chan struct{})}
	w.replicas = append(w.replicas, r)
	w.mu.Unlock()
	r.link.pauses, r.link.cuts = w.plan.spellsOf(w.chance, name, w.since())
	for range r.link.pauses {
		w.noted("pause")
	}
	for range r.link.cuts {
		w.noted("link cut")
	}
	r.link.onKill = func() { go w.replace(r) }
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	e := dispatch.New(w.options(r.link))
	go func() {
		defer close(r.done)
		e.Run(ctx, callTimeout+time.Second)
	}()
}

// spellsOf plans the pauses and cuts of a process that starts now.
func (p *plan) spellsOf(c *chance, name string, now time.Duration) (pauses, cuts []span) {
	if now >= p.heal {
		return nil, nil
	}
	d := c.fixed("spells", name)
	if d.hits(0, p.paused) {
		from := now + d.between(1, 0, p.heal-now)
		pauses = append(pauses, span{from, min(from+p.freeze(d), p.heal)})
	}
	if d.hits(2, p.cut) {
		from := now + d.between(3, 0, p.heal-now)
		cuts = append(cuts, span{from, min(from+d.between(4, time.Second, 40*time.Second), p.heal)})
	}
	return pauses, cuts
}

// replace winds up a process that died at a point and starts another.
func (w *world) replace(r *replica) {
	r.cancel()
	<-r.done
	d := w.chance.draw("replace", itoa(r.slot))
	time.Sleep(d.between(0, 100*time.Millisecond, 12*time.Second))
	if w.since() < w.plan.heal {
		w.start(r.slot)
	}
}

// running are the processes of a slot that are alive; -1 means all.
func (w *world) running(slot int) []*replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*replica
	for _, r := range w.replicas {
		select {
		case <-r.done:
			continue
		default:
		}
		if !r.link.isDead() && (slot < 0 || r.slot == slot) {
			out = append(out, r)
		}
	}
	return out
}

// options is what an engine is made from.
func (w *world) options(l *link) dispatch.Options {
	o := dispatch.Options{
		Replica: l.name, Subjects: subjects, Broker: newConnection(l),
		Ledger: linkedBucket{l, w.ledger}, Leases: linkedBucket{l, w.leases}, LeaseTTL: leaseTTL,
		// By the time and not by a count: who asks first at one moment is not fixed.
		Rand: func() float64 { return w.chance.fixed("engine"+l.name, w.since().String()).part(0) },
	}
	if *verbose {
		o.Logger = slog.New(slog.NewTextHandler(logTo{w}, &slog.HandlerOptions{Level: slog.LevelDebug})).With("replica", l.name)
	}
	for i := range w.plan.accounts {
		o.Accounts = append(o.Accounts, w.account(l, &w.plan.accounts[i]))
	}
	return o
}

func (w *world) account(l *link, conf *accountPlan) dispatch.Account {
	a := dispatch.Account{
		Name: conf.name, Regions: conf.regions, Allow: map[string]bool{}, MaxInFlight: conf.maxInFlight, Timeout: callTimeout,
		Facts: vendors.Facts{
			Name: conf.vendor, Actions: map[vendors.Operation]string{}, SignatureLife: conf.life,
			Coalesce: map[vendors.Operation]int{}, Survey: conf.surveys, PollTogether: conf.polls,
		},
		Quota:  conf.limit,
		Expiry: expiries,
		Retry:  dispatch.Retry{Attempts: conf.attempts, MinBackoff: 500 * time.Millisecond, MaxBackoff: 10 * time.Second},
		Breaker: dispatch.Breaker{
			Failures: 5, Window: 30 * time.Second, Open: 5 * time.Second,
		},
		Track: dispatch.Track{Interval: 5 * time.Second, Timeout: conf.trackTimeout},
	}
	for _, op := range conf.offered {
		a.Facts.Actions[op] = conf.action(op)
		if conf.together > 1 && op != vendors.Restore {
			a.Facts.Coalesce[op] = conf.together
		}
	}
	for _, op := range conf.operations {
		a.Allow[string(op)] = true
	}
	a.Connect = func(region string, hooks dispatch.Hooks) (vendors.Vendor, error) {
		return &adapter{l, w.clouds[conf.name], region, hooks}, nil
	}
	return a
}

// limit is the quota of an action.
func (a *accountPlan) limit(action string) float64 {
	if action == lookAction {
		return a.looks
	}
	return a.quota
}

// leaseOwner is who holds an account by the broker's own truth. The caller holds
// the lock.
func (w *world) leaseOwner(a *accountPlan) string {
	e, ok := w.leases.live("account." + a.vendor + "." + a.name)
	if !ok {
		return ""
	}
	var v struct {
		Replica string `json:"replica"`
	}
	_ = json.Unmarshal(e.Value, &v)
	return v.Replica
}

// logTo prefixes the engine's log with the time of the run.
type logTo struct{ w *world }

func (l logTo) Write(p []byte) (int, error) {
	fmt.Printf("%12s %s", l.w.since(), p)
	return len(p), nil
}
