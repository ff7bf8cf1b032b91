package dispatch

import (
	"context"
	"slices"
	"sync"
)

// instances lets one command at a time work on an instance. Waiters get it most
// urgent first, then in the order of their coming.
type instances struct {
	mu   sync.Mutex
	held map[string]*heldInstance
}

type heldInstance struct {
	waiters []*instanceWaiter
	// yield asks the holder, who has not begun, to let a more urgent command go
	// first; nil once it has begun. prio is the holder's.
	prio  int
	yield func()
}

type instanceWaiter struct {
	prio  int
	ready chan struct{}
}

func newInstances() *instances { return &instances{held: map[string]*heldInstance{}} }

// queue takes a place in the instance's queue; whoever comes later with the same
// priority is behind it. The caller must call wait, once, which returns when the instance
// is the caller's; release gives it on, and may be called more than once. free says that
// it is the caller's already.
func (in *instances) queue(id string, prio int) (wait func(context.Context) (release func(), err error), free bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	h, taken := in.held[id]
	if !taken {
		in.held[id] = &heldInstance{prio: prio}
		return func(context.Context) (func(), error) { return in.releaser(id), nil }, true
	}
	w := &instanceWaiter{prio: prio, ready: make(chan struct{})}
	at := len(h.waiters)
	for at > 0 && h.waiters[at-1].prio > prio {
		at--
	}
	h.waiters = slices.Insert(h.waiters, at, w)
	if h.yield != nil && prio < h.prio {
		h.yield()
	}
	return func(ctx context.Context) (func(), error) { return in.await(ctx, id, w) }, false
}

// await returns when the place has come to the front.
func (in *instances) await(ctx context.Context, id string, w *instanceWaiter) (release func(), err error) {
	select {
	case <-w.ready:
		return in.releaser(id), nil
	case <-ctx.Done():
		in.giveUp(id, w)
		return nil, context.Cause(ctx)
	}
}

func (in *instances) releaser(id string) func() {
	var once sync.Once
	return func() { once.Do(func() { in.release(id) }) }
}

// release hands the instance to the next waiter, or frees it.
func (in *instances) release(id string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	h := in.held[id]
	if len(h.waiters) == 0 {
		delete(in.held, id)
		return
	}
	next := h.waiters[0]
	h.waiters = h.waiters[1:]
	h.prio, h.yield = next.prio, nil
	close(next.ready)
}

// yielding sets what the holder of the instance is asked with to let a more urgent
// command go first, or nil once it has begun. Whoever waits already asks at once.
func (in *instances) yielding(id string, yield func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	h := in.held[id]
	h.yield = yield
	if yield != nil && len(h.waiters) > 0 && h.waiters[0].prio < h.prio {
		yield()
	}
}

// giveUp leaves the queue; an instance that was handed over at the same moment
// goes on to the next.
func (in *instances) giveUp(id string, w *instanceWaiter) {
	in.mu.Lock()
	h := in.held[id]
	if h != nil {
		for i, other := range h.waiters {
			if other == w {
				h.waiters = append(h.waiters[:i], h.waiters[i+1:]...)
				in.mu.Unlock()
				return
			}
		}
	}
	in.mu.Unlock()
	in.release(id)
}
