package simulation

import (
	"context"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Execute is vendors.Vendor.
func (a *adapter) Execute(ctx context.Context, req vendors.Request, _ vendors.Baseline, commit vendors.Commit) vendors.Verdict {
	return a.mutate(ctx, []vendors.Request{req}, commit)[0]
}

// ExecuteMany is vendors.Coalescer.
func (a *adapter) ExecuteMany(ctx context.Context, reqs []vendors.Request, _ []vendors.Baseline, commit vendors.Commit) []vendors.Verdict {
	a.link.w.noted("call for many")
	return a.mutate(ctx, reqs, commit)
}

// mutate signs, asks commit, and sends one request for all.
func (a *adapter) mutate(ctx context.Context, reqs []vendors.Request, commit vendors.Commit) []vendors.Verdict {
	w, r := a.link.w, a.newCall(reqs)
	if err := commit(ctx, r.signedAt); err != nil {
		return r.alike(vendors.Verdict{Kind: vendors.Withheld, Message: "not sent: " + err.Error(), Err: err})
	}
	r.agreed = time.Now()
	w.mu.Lock()
	r.owner = w.leaseOwner(a.cloud.conf)
	w.mu.Unlock()
	r.draw(w.chance)
	if a.link.point("call.before", r.sends[0].token) != nil || a.link.rest(context.Background(), r.way.between(0, 0, longestGap)) != nil {
		return r.lost() // no byte has left
	}
	verdicts := a.exchange(r)
	if a.link.isDead() || a.link.point("call.answered", r.sends[0].token) != nil {
		return r.lost()
	}
	w.mu.Lock()
	r.answered = time.Now()
	for i, s := range r.sends {
		s.verdict = verdicts[i]
	}
	w.mu.Unlock()
	a.hooks.Observe(r.action, observed(verdicts), r.answered.Sub(r.left))
	return verdicts
}

// observed is the answer to a request as a whole: to one for several, that it was
// taken, whatever became of its parts.
func observed(verdicts []vendors.Verdict) vendors.Verdict {
	for _, v := range verdicts {
		switch v.Kind {
		case vendors.Done, vendors.Accepted:
			return v
		}
	}
	return verdicts[0]
}

// alike is the same answer for all.
func (r *apiCall) alike(v vendors.Verdict) []vendors.Verdict {
	out := make([]vendors.Verdict, len(r.sends))
	for i := range out {
		out[i] = v
	}
	return out
}

func (r *apiCall) lost() []vendors.Verdict {
	return r.alike(vendors.Verdict{Kind: vendors.Ambiguous, Reason: vendors.ReasonOutcomeUnknown, Message: "no answer"})
}

// exchange sends the bytes and waits for what comes back.
func (a *adapter) exchange(r *apiCall) []vendors.Verdict {
	d, what := r.way, a.leave(r)
	answer := make(chan []vendors.Verdict, 1)
	travel, timeout := a.cloud.conf.travel(d, 3), callTimeout
	switch what {
	case "dropped before":
		timeout = travel
	case "hangs, not done":
	case "late":
		after := d.between(5, callTimeout, a.cloud.conf.life*5/4)
		time.AfterFunc(after, func() { a.land(r) })
	case "dropped after":
		time.AfterFunc(travel, func() { a.land(r) })
		timeout = travel + d.between(6, time.Millisecond, time.Second)
	case "hangs, done":
		time.AfterFunc(travel, func() { a.land(r) })
	default:
		time.AfterFunc(travel, func() {
			v := a.land(r)
			time.AfterFunc(a.cloud.conf.travel(d, 4), func() { answer <- v })
		})
	}
	if a.link.point("call.sent", r.sends[0].token) != nil {
		return r.lost()
	}
	t := time.NewTimer(timeout)
	defer t.Stop()
	out := r.lost()
	select {
	case out = <-answer:
	case <-t.C:
	case <-a.link.dead:
	}
	if a.link.awake() != nil {
		return r.lost()
	}
	return out
}

// leave notes the sends and says what becomes of the request; empty if nothing
// does.
func (a *adapter) leave(r *apiCall) (what string) {
	w, d := a.link.w, r.way
	w.mu.Lock()
	defer w.mu.Unlock()
	r.left = time.Now()
	w.sends = append(w.sends, r.sends...)
	hangs := a.hangs(d)
	if w.since() < w.plan.heal {
		what = w.plan.lose(d)
	}
	switch {
	case hangs && d.hits(2, 0.5):
		what = "hangs, done"
	case hangs:
		what = "hangs, not done"
	}
	if what != "" {
		w.count("call " + what)
		if len(r.sends) > 1 {
			w.count("call for many " + what)
		}
	}
	r.late = what == "late"
	return what
}

func (a *adapter) land(r *apiCall) []vendors.Verdict {
	a.link.w.mu.Lock()
	defer a.link.w.mu.Unlock()
	return a.cloud.land(r)
}

// hangs reports that the vendor does not answer this call. The caller holds the
// world's lock.
func (a *adapter) hangs(d luck) bool {
	conf := a.cloud.conf
	return a.cloud.spell("hanging") && (conf.hangsOnly == "" || conf.hangsOnly == a.region) && d.hits(1, conf.hangs)
}
