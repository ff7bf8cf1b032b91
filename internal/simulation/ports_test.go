package simulation

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/dispatch"
)

// connection is dispatch.Broker over a replica's link.
type connection struct {
	link   *link
	mu     sync.Mutex
	queues map[string]*queue
}

func newConnection(l *link) *connection { return &connection{link: l, queues: map[string]*queue{}} }

// Publish is broker.Publisher.
func (c *connection) Publish(ctx context.Context, m broker.Outgoing) error {
	_, err := call(ctx, c.link, "publish", m.ID, func() (struct{}, error) {
		return struct{}{}, c.link.w.publish(c.link.name, m)
	})
	return err
}

// Lane is dispatch.Broker.
func (c *connection) Lane(ctx context.Context, subject string, ackWait time.Duration, maxPending int) (dispatch.Lane, error) {
	c.mu.Lock()
	q := c.queues[subject]
	if q == nil {
		q = &queue{link: c.link, subject: subject, ackWait: ackWait, most: maxPending, wake: make(chan struct{}, 1)}
		c.queues[subject] = q
	}
	c.mu.Unlock()
	q.mu.Lock()
	q.released = false
	q.mu.Unlock()
	return q, q.make(ctx, 0, false)
}

// Intake is dispatch.Broker.
func (c *connection) Intake(ctx context.Context) (dispatch.Lane, error) {
	return c.Lane(ctx, subjects.Intake(), 30*time.Second, 1000)
}

// Waiting is dispatch.Broker.
func (c *connection) Waiting(ctx context.Context) (map[string]uint64, error) {
	return call(ctx, c.link, "waiting", "", func() (map[string]uint64, error) { return c.link.w.waiting(), nil })
}

// WaitingOf is dispatch.Broker.
func (c *connection) WaitingOf(ctx context.Context, vendor, account string) (map[string]uint64, error) {
	all, err := c.Waiting(ctx)
	maps.DeleteFunc(all, func(subject string, _ uint64) bool {
		id, ok := subjects.ParseLane(subject)
		return !ok || id.Vendor != vendor || id.Account != account
	})
	return all, err
}

// Arrivals is dispatch.Broker. Some arrivals go unheard, as they may.
func (c *connection) Arrivals(subject string, arrived func()) (stop func(), err error) {
	w := c.link.w
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &listener{arrived}
	w.listeners[subject] = append(w.listeners[subject], l)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.listeners[subject] = slices.DeleteFunc(w.listeners[subject], func(o *listener) bool { return o == l })
	}, nil
}

// First is dispatch.Broker.
func (c *connection) First(ctx context.Context, subject string) (broker.Message, error) {
	m, err := call(ctx, c.link, "first", subject, func() (*stored, error) {
		for _, m := range c.link.w.lane(subject).all {
			if m != nil {
				return m, nil
			}
		}
		return nil, broker.ErrNotFound
	})
	if err != nil {
		return nil, err
	}
	return &delivery{stored: m, link: c.link, count: 1}, nil
}

// linkedBucket is broker.KV over a replica's link.
type linkedBucket struct {
	link *link
	b    *bucket
}

func (k linkedBucket) Get(ctx context.Context, key string) (broker.Entry, error) {
	return call(ctx, k.link, k.b.name+".get", key, func() (broker.Entry, error) { return k.b.get(key) })
}

func (k linkedBucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	return call(ctx, k.link, k.b.name+".create", key, func() (uint64, error) { return k.b.create(k.link.name, key, value) })
}

func (k linkedBucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return call(ctx, k.link, k.b.name+".update", key, func() (uint64, error) {
		return k.b.update(k.link.name, key, value, revision)
	})
}

func (k linkedBucket) Delete(ctx context.Context, key string, revision uint64) error {
	_, err := call(ctx, k.link, k.b.name+".delete", key, func() (struct{}, error) {
		return struct{}{}, k.b.delete(k.link.name, key, revision)
	})
	return err
}

// Watch is broker.KV.
func (k linkedBucket) Watch(ctx context.Context, _ string) (<-chan broker.Entry, error) {
	wr := &watcher{link: k.link, b: k.b, wake: make(chan struct{}, 1), out: make(chan broker.Entry)}
	_, err := call(ctx, k.link, k.b.name+".watch", "", func() (struct{}, error) {
		for _, key := range slices.Sorted(maps.Keys(k.b.entries)) {
			if e, ok := k.b.live(key); ok {
				wr.push(e)
			}
		}
		wr.push(broker.Entry{})
		k.b.watchers = append(k.b.watchers, wr)
		return struct{}{}, nil
	})
	if err != nil {
		return nil, err
	}
	go wr.run(ctx)
	return wr.out, nil
}

// watcher carries a bucket's changes to one replica.
type watcher struct {
	link  *link
	b     *bucket
	wake  chan struct{}
	out   chan broker.Entry
	queue []broker.Entry // under the world's lock
}

// push queues a change. The caller holds the world's lock.
func (wr *watcher) push(e broker.Entry) {
	if wr.link.isDead() {
		return
	}
	wr.queue = append(wr.queue, e)
	select {
	case wr.wake <- struct{}{}:
	default:
	}
}

func (wr *watcher) run(ctx context.Context) {
	defer close(wr.out)
	for {
		select {
		case <-wr.wake:
		case <-ctx.Done():
			return
		case <-wr.link.dead:
			return
		}
		d := wr.link.w.chance.draw("watch", wr.link.name)
		if wr.link.rest(ctx, wr.link.w.plan.latency(d, 0)) != nil {
			return
		}
		cut := false
		for s, is := wr.link.cut(); is; s, is = wr.link.cut() {
			cut = true
			if wr.link.rest(ctx, s.to-wr.link.w.since()+time.Millisecond) != nil {
				return
			}
		}
		for _, e := range wr.pending(cut) {
			select {
			case wr.out <- e:
			case <-ctx.Done():
				return
			case <-wr.link.dead:
				return
			}
		}
	}
}

// pending empties the queue. After a cut the watch is made again, and brings
// only what is still there.
func (wr *watcher) pending(afterCut bool) []broker.Entry {
	wr.link.w.mu.Lock()
	defer wr.link.w.mu.Unlock()
	out := wr.queue
	wr.queue = nil
	if afterCut {
		out = slices.DeleteFunc(out, func(e broker.Entry) bool {
			now, ok := wr.b.live(e.Key)
			return e.Key != "" && !e.Deleted && (!ok || now.Revision != e.Revision)
		})
	}
	return out
}
