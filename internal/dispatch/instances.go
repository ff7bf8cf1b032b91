package dispatch

import (
	"context"
	"sync"
)

// instances lets one command at a time work on an instance. Waiters get it most
// urgent first, then in the order of their coming.
type instances struct {
	mu   sync.Mutex
	held map[string]*heldInstance
}

type heldInstance struct{ waiters []*instanceWaiter }

type instanceWaiter struct {
	prio  int
	ready chan struct{}
}

func newInstances() *instances { return &instances{held: map[string]*heldInstance{}} }

// acquire waits until the instance is free and holds it. release gives it on; it
// may be called more than once.
func (in *instances) acquire(ctx context.Context, id string, prio int) (release func(), err error) {
	in.mu.Lock()
	h, taken := in.held[id]
	if !taken {
		in.held[id] = &heldInstance{}
		in.mu.Unlock()
		return in.releaser(id), nil
	}
	w := &instanceWaiter{prio: prio, ready: make(chan struct{})}
	at := len(h.waiters)
	for at > 0 && h.waiters[at-1].prio > prio {
		at--
	}
	h.waiters = append(h.waiters[:at], append([]*instanceWaiter{w}, h.waiters[at:]...)...)
	in.mu.Unlock()
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
	close(next.ready)
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
