package simulation

import (
	"context"
	"errors"
	"sync"
	"time"
)

// What a replica is told when it is told anything. All of them leave open
// whether the operation took effect.
var (
	errDead    = errors.New("this process is dead")
	errCut     = errors.New("not connected to the broker")
	errTimeout = errors.New("no answer in time")
	errRefused = errors.New("the broker refused")
	errNoReply = errors.New("the broker does not answer")
)

const (
	// requestTimeout is how long a replica waits for the broker's answer.
	requestTimeout = 5 * time.Second
	// cutNoticed is how long a silent connection passes for a live one; bytes
	// written in that time may arrive if it comes back.
	cutNoticed = 20 * time.Second
)

// link is the way of one replica to the broker and the clouds, and the switch by
// which it is paused or dies.
type link struct {
	w    *world
	name string
	// pauses and cuts are the planned ones; frozen are those at a point.
	pauses, cuts []span

	mu     sync.Mutex
	frozen []span
	dead   chan struct{} // closed at death
	killed bool
	// onKill is called when the replica dies at a point.
	onKill func()
}

func newLink(w *world, name string) *link {
	return &link{w: w, name: name, dead: make(chan struct{})}
}

// kill makes the replica dead: nothing that it has not sent yet has any effect.
func (l *link) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.killed {
		l.killed = true
		close(l.dead)
	}
}

func (l *link) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.killed
}

// gone reports that the broker knows the connection to be closed.
func (l *link) gone() bool {
	if l.isDead() {
		return true
	}
	s, cut := l.cut()
	return cut && l.w.since()-s.from > cutNoticed
}

// pausedTill is the end of the pause that the replica is in, if it is in one.
func (l *link) pausedTill() (time.Duration, bool) {
	now := l.w.since()
	if s, ok := during(l.pauses, now); ok {
		return s.to, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := during(l.frozen, now)
	return s.to, ok
}

// awake returns once the replica runs. A paused process cannot even see that a
// context has ended.
func (l *link) awake() error {
	for {
		till, paused := l.pausedTill()
		if !paused {
			break
		}
		if err := l.sleep(till - l.w.since()); err != nil {
			return err
		}
	}
	if l.isDead() {
		return errDead
	}
	return nil
}

// sleep lets time pass, unless the replica dies.
func (l *link) sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.dead:
		return errDead
	}
}

// cut returns the outage or cut that lies over the link now.
func (l *link) cut() (span, bool) {
	now := l.w.since()
	if s, ok := during(l.w.plan.outages, now); ok {
		return s, true
	}
	return during(l.cuts, now)
}

// fate is what becomes of one operation on its way.
type fate int

const (
	passes fate = iota
	refused
	requestLost
	answerLost
	late
)

var fateNames = [...]string{"", "request refused", "request lost", "answer lost", "request late"}

// fateOf decides what becomes of an operation that starts now.
func (l *link) fateOf(d luck) fate {
	p := l.w.plan
	if s, ok := l.cut(); ok {
		if s.to-l.w.since() < cutNoticed && d.hits(2, 0.3) {
			return late
		}
		return requestLost
	}
	if l.w.since() >= p.heal || !d.hits(3, p.lossy) {
		return passes
	}
	return refused + fate(d.below(4, 4))
}

// call makes one operation at the broker. effect runs under the world's lock, at
// most once, whenever the request arrives; that may be after call has returned.
func call[T any](ctx context.Context, l *link, op, key string, effect func() (T, error)) (out T, err error) {
	var none T
	if err := l.awake(); err != nil {
		return none, err
	}
	if err := l.point(op+".before", key); err != nil {
		return none, err
	}
	if s, cut := l.cut(); cut && l.w.since()-s.from > cutNoticed {
		if err := l.rest(ctx, time.Millisecond); err != nil {
			return none, err
		}
		return none, errCut
	}
	d := l.w.chance.draw(op, l.name+key)
	there, back := l.w.plan.latency(d, 0), l.w.plan.latency(d, 1)
	land := func() (T, error) {
		l.w.mu.Lock()
		defer l.w.mu.Unlock()
		return effect()
	}
	f := l.fateOf(d)
	if f != passes {
		l.w.noted(fateNames[f])
	}
	switch f {
	case refused:
		if err := l.rest(ctx, there+back); err != nil {
			return none, err
		}
		return none, errRefused
	case answerLost:
		time.AfterFunc(there, func() { _, _ = land() })
		return none, l.inVain(ctx)
	case late:
		after := d.between(5, requestTimeout/2, 2*requestTimeout)
		if s, cut := l.cut(); cut {
			after = s.to - l.w.since() + there
		}
		time.AfterFunc(after, func() { _, _ = land() })
		return none, l.inVain(ctx)
	case requestLost:
		return none, l.inVain(ctx)
	}
	left := time.Now()
	if err := l.rest(ctx, there); err != nil {
		// What has left lands, unless the process died with it in its buffers.
		if !errors.Is(err, errDead) || d.hits(6, 0.5) {
			time.AfterFunc(there-time.Since(left), func() { _, _ = land() })
		}
		return none, err
	}
	out, err = land()
	if errors.Is(err, errNoReply) {
		return none, l.inVain(ctx)
	}
	if _, cut := l.cut(); cut {
		l.w.noted("answer lost")
		return none, l.inVain(ctx)
	}
	if err := l.point(op+".after", key); err != nil {
		return none, err
	}
	if err := l.rest(ctx, back); err != nil {
		return none, err
	}
	return out, err
}

// rest lets time pass on the way; it ends early with the context or the replica.
func (l *link) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return l.awake()
	case <-ctx.Done():
		if err := l.awake(); err != nil {
			return err
		}
		return ctx.Err()
	case <-l.dead:
		return errDead
	}
}

// inVain waits for an answer that does not come.
func (l *link) inVain(ctx context.Context) error {
	wait := requestTimeout
	if _, has := ctx.Deadline(); has {
		wait = time.Hour // the context decides
	}
	if err := l.rest(ctx, wait); err != nil {
		return err
	}
	return errTimeout
}

// point is a place in a command's life at which the replica may die or freeze.
func (l *link) point(name, key string) error {
	p := l.w.plan
	if p.points == 0 || l.w.since() >= p.heal || l.w.since() < p.pointsFrom {
		return nil
	}
	d := l.w.chance.draw("point", l.name+name+key)
	likely := p.points
	if name == p.favourite {
		likely = min(0.5, 20*p.points)
	}
	if !d.hits(0, likely) {
		return nil
	}
	l.w.mu.Lock()
	spent := l.w.crashes >= p.mostPoints
	if !spent {
		l.w.crashes++
	}
	l.w.mu.Unlock()
	if spent {
		return nil
	}
	if !p.onlyFreezes && d.hits(1, 0.5) {
		l.w.noted("killed at " + name)
		l.kill()
		l.onKill()
		return errDead
	}
	l.w.noted("frozen at " + name)
	now := l.w.since()
	l.mu.Lock()
	l.frozen = append(l.frozen, span{now, now + p.freeze(d)})
	l.mu.Unlock()
	return l.awake()
}
