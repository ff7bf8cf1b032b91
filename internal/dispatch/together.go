package dispatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// errRegroup withholds a call for many because of one of them; the others try again.
var errRegroup = errors.New("another command of the same call could not be sent")

// pool gathers bulk commands of one operation, so that one call of the quota moves
// many instances. Each command keeps its own record, intent, verdict and result:
// together they are only from the turn to the answer.
type pool struct {
	region *region
	vendor vendors.Coalescer
	action string
	most   int

	mu      sync.Mutex
	ready   []*pooled
	calling bool // somebody waits for the next turn
}

// pooled is a command in a pool. Its run waits meanwhile.
type pooled struct {
	run *run
	ctx context.Context // ends when it may not be sent any more
	end chan ending

	prospect *prospect
	request  vendors.Request
	base     vendors.Baseline
	err      error // why it kept the call from being sent
}

// ending is what became of a member of a pool.
type ending struct {
	verdict vendors.Verdict
	err     error
}

// join sends the command in a call with others, and returns as attempt does. Until it
// is taken up it waits under a context of its own.
func (p *pool) join(ctx, waiting context.Context, r *run) (vendors.Verdict, error) {
	m := &pooled{run: r, ctx: ctx, end: make(chan ending, 1), prospect: p.region.outlook.expect(ctx, r.cmd.InstanceID)}
	defer m.prospect.leave()
	p.add(m)
	var e ending
	select {
	case e = <-m.end:
	case <-waiting.Done():
		if p.remove(m) {
			return vendors.Verdict{}, context.Cause(waiting)
		}
		e = <-m.end
	}
	if e.verdict.Kind == vendors.Withheld {
		return e.verdict, r.withdraw(e.err)
	}
	return e.verdict, e.err
}

func (p *pool) add(m *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, m)
	if !p.calling {
		p.calling = true
		p.region.account.work.Go(p.serve)
	}
}

// remove reports whether the command was still there.
func (p *pool) remove(m *pooled) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.ready, m)
	if i >= 0 {
		p.ready = slices.Delete(p.ready, i, i+1)
	}
	return i >= 0
}

// serve takes a turn for as many as one call holds, again and again until nobody
// waits or the account is handed on.
func (p *pool) serve() {
	for p.needed() {
		turn, err := p.region.pacer(p.action).wait(p.region.account.soft, prioBulk)
		if err != nil {
			p.stop()
			return // the members leave for the same reason
		}
		members := p.take()
		p.region.account.work.Go(func() {
			defer turn.release()
			if len(members) > 0 {
				(&joint{pool: p, members: members, turn: turn}).send()
			}
		})
	}
}

// needed reports whether somebody waits; if not, the next to come starts anew.
func (p *pool) needed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calling = len(p.ready) > 0
	return p.calling
}

func (p *pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calling = false
}

// take takes the members of one call off the pool.
func (p *pool) take() []*pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(p.ready), p.most)
	members := slices.Clone(p.ready[:n])
	p.ready = slices.Delete(p.ready, 0, n)
	return members
}

// joint is one call for many commands.
type joint struct {
	pool    *pool
	members []*pooled
	turn    *turn
}

// send prepares all, sends one call for those that are fit for it, and tells each
// what became of it.
func (j *joint) send() {
	r := j.pool.region
	if err := r.breaker.wait(r.account.soft); err != nil {
		for _, m := range j.members {
			m.end <- ending{err: err}
		}
		return
	}
	j.prepare()
	if len(j.members) == 0 {
		return
	}
	reqs, bases := make([]vendors.Request, len(j.members)), make([]vendors.Baseline, len(j.members))
	for i, m := range j.members {
		m.run.delivery.waiting.start()
		reqs[i], bases[i] = m.request, m.base
	}
	sent := time.Now()
	ctx, asked := callFor(r.account.soft, j.pool.action, j.members)
	// The call itself is cut off by nothing but its own timeout.
	verdicts := j.execute(j.turn.followed(context.WithoutCancel(ctx)), reqs, bases, func(_ context.Context, signedAt time.Time) error {
		err := j.commit(signedAt)
		sent = time.Now()
		return err
	})
	asked.end(verdictOfAll(verdicts))
	for i, m := range j.members {
		v := verdicts[i]
		if v.Kind == vendors.Withheld {
			m.end <- ending{verdict: v, err: cmp.Or(m.err, v.Err)}
			continue
		}
		m.run.stage(stageVendor, time.Since(sent))
		m.end <- ending{verdict: v}
	}
}

// execute sends one alone as such: then a refusal comes with its reason.
func (j *joint) execute(ctx context.Context, reqs []vendors.Request, bases []vendors.Baseline, commit vendors.Commit) []vendors.Verdict {
	if len(reqs) == 1 {
		return []vendors.Verdict{j.pool.vendor.Execute(ctx, reqs[0], bases[0], commit)}
	}
	return j.pool.vendor.ExecuteMany(ctx, reqs, bases, commit)
}

// prepare looks at every instance and keeps the members that can be sent.
func (j *joint) prepare() {
	fit := make([]bool, len(j.members))
	j.each(func(i int, m *pooled) {
		r := m.run
		r.hasTurn()
		base, v, err := r.prepare(m.ctx, &m.request, m.prospect)
		if err != nil || v.Kind != vendors.Done {
			m.end <- ending{verdict: v, err: err}
			return
		}
		m.base, fit[i] = base, true
	})
	var kept []*pooled
	for i, m := range j.members {
		if fit[i] {
			kept = append(kept, m)
		}
	}
	j.members = kept
}

// each does the same for all members at once.
func (j *joint) each(do func(i int, m *pooled)) {
	var all sync.WaitGroup
	for i, m := range j.members {
		all.Go(func() { do(i, m) })
	}
	all.Wait()
}

// commit is the fence between the signature and the first byte, for all members: the
// call holds the instances of all of them, so that one that may not be sent keeps the
// others back as well. They try again without it.
func (j *joint) commit(signedAt time.Time) error {
	a := j.pool.region.account
	j.each(func(_ int, m *pooled) { m.err = m.run.intend(signedAt, m.base) })
	if err := j.failed(); err != nil {
		return err
	}
	if err := j.turn.permit(a.soft); err != nil {
		return err
	}
	for _, m := range j.members {
		m.err = m.run.maySend()
	}
	return j.failed()
}

// failed withholds the call if a member may not be sent.
func (j *joint) failed() error {
	for _, m := range j.members {
		if m.err != nil {
			return errRegroup
		}
	}
	return nil
}

// pool is where the command waits for others to share its call; nil if it goes by
// itself: it is no bulk work, its vendor takes one at a time, or a call for many was
// turned down without a reason.
func (r *run) pool() *pool {
	if last := r.entry.Last(); !r.gathers() || last != nil && last.Verdict == vendors.Unexplained.String() {
		return nil
	}
	return r.region.pools[vendors.Operation(r.cmd.Operation)]
}

// gathers reports that commands like this one share their calls.
func (r *run) gathers() bool {
	return r.prio() == prioBulk && r.region.pools[vendors.Operation(r.cmd.Operation)] != nil
}
