package simulation

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/dispatch"
)

const (
	pullExpiry = 30 * time.Second
	pullGrace  = 3 * time.Second
)

// queue is a lane as one replica sees it: at most one pull request is open, it
// stays open after Fetch has returned, and what it brings is kept for the next.
type queue struct {
	link    *link
	subject string
	ackWait time.Duration
	most    int
	wake    chan struct{}
	// resetAt is when this replica's own last reset took effect. Whatever was on
	// its way before comes ahead of the answer, on the same connection, and is
	// thrown away.
	resetAt atomic.Int64

	mu       sync.Mutex
	buffer   []arrived
	number   uint64
	owed     int
	lapses   time.Time
	retryAt  time.Time
	gone     bool
	released bool
}

type arrived struct {
	m  *delivery
	at time.Time
}

// delivery is one message in a replica's hands.
type delivery struct {
	*stored
	consumer *consumer
	link     *link
	count    int
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Fetch is broker.Queue.
func (q *queue) Fetch(ctx context.Context, n int, wait time.Duration) ([]broker.Message, error) {
	end := time.Now().Add(wait)
	for {
		if err := q.link.awake(); err != nil {
			return nil, err
		}
		pause := q.prepare(ctx, n)
		if got := q.take(n); len(got) > 0 {
			return got, nil
		}
		left := time.Until(end)
		if left <= 0 || ctx.Err() != nil {
			return nil, nil
		}
		t := time.NewTimer(max(min(left, pause), time.Microsecond))
		select {
		case <-q.wake:
		case <-t.C:
		case <-ctx.Done():
		case <-q.link.dead:
		}
		t.Stop()
	}
}

// prepare asks for messages unless some are here or asked for already, and
// returns when to look again.
func (q *queue) prepare(ctx context.Context, n int) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.buffer = slices.DeleteFunc(q.buffer, func(a arrived) bool { return now.Sub(a.at) > q.ackWait*3/4 })
	if s, cut := q.link.cut(); cut && q.link.w.since()-s.from > cutNoticed {
		// The connection is gone and the open request with it.
		q.number, q.owed = q.number+1, 0
		return min(pullExpiry, s.to-q.link.w.since()+time.Millisecond)
	}
	switch {
	case len(q.buffer) > 0:
		return 0
	case q.released:
		return pullExpiry
	case q.owed > 0 && now.Before(q.lapses):
		return q.lapses.Sub(now)
	case now.Before(q.retryAt):
		return q.retryAt.Sub(now)
	}
	if q.gone {
		q.mu.Unlock()
		err := q.make(ctx, 0, false)
		q.mu.Lock()
		if err != nil {
			q.retryAt = time.Now().Add(time.Second)
			return time.Second
		}
		q.gone = false
	}
	q.pull(n)
	return pullExpiry + pullGrace
}

// pull opens a request. The caller holds the lock.
func (q *queue) pull(n int) {
	w := q.link.w
	q.number++
	q.owed, q.lapses = n, time.Now().Add(pullExpiry+pullGrace)
	r := &request{queue: q, number: q.number, left: n}
	d := w.chance.draw("pull", q.link.name+q.subject)
	if _, cut := q.link.cut(); cut {
		return
	}
	time.AfterFunc(w.plan.latency(d, 0), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		c := w.consumers[q.subject]
		if q.link.isDead() {
			return
		}
		if c == nil {
			q.told(r.number, true) // nobody answers for a consumer that is not there
			return
		}
		r.expires = time.Now().Add(pullExpiry)
		c.requests = append(c.requests, r)
		c.pump()
	})
	number := q.number
	time.AfterFunc(pullExpiry+w.plan.latency(d, 1), func() {
		if _, cut := q.link.cut(); !cut {
			q.told(number, false)
		}
	})
}

// told ends a request; its consumer may have been deleted.
func (q *queue) told(number uint64, deleted bool) {
	go func() { // the caller may hold the world's lock
		if q.link.awake() != nil {
			return
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if number != q.number {
			return
		}
		q.owed = 0
		q.gone = q.gone || deleted
		q.signal()
	}()
}

// send carries deliveries to the replica. The caller holds the world's lock.
func (q *queue) send(batch []*delivery, number uint64) {
	w := q.link.w
	d := w.chance.draw("deliver", q.link.name+q.subject)
	if _, cut := q.link.cut(); cut {
		w.count("delivery lost")
		return
	}
	sent := int64(w.since())
	time.AfterFunc(w.plan.latency(d, 0), func() {
		if q.link.awake() != nil || sent <= q.resetAt.Load() {
			return
		}
		q.mu.Lock()
		released := q.released
		if number == q.number {
			q.owed = max(0, q.owed-len(batch))
		}
		if !released {
			for _, m := range batch {
				q.buffer = append(q.buffer, arrived{m, time.Now()})
			}
			q.signal()
		}
		q.mu.Unlock()
		if released {
			for _, m := range batch {
				_ = m.Nak(0)
			}
		}
	})
}

func (q *queue) take(n int) []broker.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.buffer))
	out := make([]broker.Message, n)
	for i := range n {
		out[i] = q.buffer[i].m
	}
	q.buffer = slices.Delete(q.buffer, 0, n)
	return out
}

// Unacked is dispatch.Lane.
func (q *queue) Unacked(ctx context.Context) (int, error) {
	return q.ask(ctx, "lane.unacked", (*consumer).unacked)
}

// Now is dispatch.Lane.
func (q *queue) Now(ctx context.Context) (waiting, out int, err error) {
	// Both numbers are of one answer, which may come when nobody waits any more.
	const half = 32
	both, err := q.ask(ctx, "lane.now", func(c *consumer) int { return c.undelivered()<<half | len(c.pending) })
	return both >> half, both & (1<<half - 1), err
}

// ask reads a number of the consumer, which is made again if it is gone.
func (q *queue) ask(ctx context.Context, op string, number func(*consumer) int) (int, error) {
	for try := 0; ; try++ {
		n, err := call(ctx, q.link, op, q.subject, func() (int, error) {
			if c := q.link.w.consumers[q.subject]; c != nil {
				return number(c), nil
			}
			return 0, broker.ErrNotFound
		})
		if try > 0 || !errors.Is(err, broker.ErrNotFound) {
			return n, err
		}
		if err := q.make(ctx, 0, false); err != nil {
			return 0, err
		}
	}
}

// make creates the consumer. One that is new, remembers nothing and finds messages
// stored is made to remember that any of them may have been delivered.
func (q *queue) make(ctx context.Context, before uint64, remembers bool) error {
	w := q.link.w
	doubtful, err := call(ctx, q.link, "lane.make", q.subject, func() (bool, error) {
		return w.make(q, before, remembers) && !remembers && w.lane(q.subject).left > 0, nil
	})
	if err != nil || !doubtful {
		return err
	}
	_, err = call(ctx, q.link, "lane.doubt", q.subject, func() (struct{}, error) {
		if c := w.consumers[q.subject]; c != nil {
			c.before, c.remembers = w.seq, true
		}
		return struct{}{}, nil
	})
	return err
}

// predecessor is what a consumer made anew is told of the one before it.
type predecessor struct {
	known     bool
	delivered uint64
}

// Reset is dispatch.Lane: three requests, any of which may be the last.
func (q *queue) Reset(ctx context.Context) error {
	q.discard()
	defer q.discard()
	w := q.link.w
	had, err := call(ctx, q.link, "lane.info", q.subject, func() (predecessor, error) {
		if c := w.consumers[q.subject]; c != nil {
			return predecessor{true, max(c.highest, c.before)}, nil
		}
		return predecessor{}, nil
	})
	if err != nil {
		return err
	}
	_, err = call(ctx, q.link, "lane.reset", q.subject, func() (struct{}, error) {
		if c := w.consumers[q.subject]; c != nil {
			c.remove()
		}
		q.resetAt.Store(int64(w.since()))
		return struct{}{}, nil
	})
	if err == nil {
		err = q.make(ctx, had.delivered, had.known)
	}
	if err != nil {
		q.mu.Lock()
		q.gone = true
		q.mu.Unlock()
	}
	return err
}

func (q *queue) discard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.buffer, q.owed, q.retryAt = nil, 0, time.Time{}
	q.number++
	q.signal()
}

// Release is dispatch.Lane.
func (q *queue) Release() {
	q.mu.Lock()
	held := q.buffer
	q.buffer, q.released = nil, true
	q.mu.Unlock()
	for _, a := range held {
		_ = a.m.Nak(0)
	}
}

var _ dispatch.Lane = (*queue)(nil)

// Subject is broker.Message.
func (m *delivery) Subject() string { return m.subject }

// Header is broker.Message.
func (m *delivery) Header() broker.Header { return m.header }

// Data is broker.Message.
func (m *delivery) Data() []byte { return m.data }

// Received is broker.Message.
func (m *delivery) Received() time.Time { return m.received }

// Sequence is broker.Message.
func (m *delivery) Sequence() uint64 { return m.seq }

// Deliveries is broker.Message.
func (m *delivery) Deliveries() int { return m.count }

// First is broker.Message.
func (m *delivery) First() bool {
	return m.consumer != nil && m.count == 1 && m.seq > m.consumer.before
}

// Ack is broker.Message.
func (m *delivery) Ack(ctx context.Context) error {
	_, err := call(ctx, m.link, "ack", m.subject, func() (struct{}, error) {
		w := m.link.w
		if m.consumer == nil {
			w.lane(m.subject).remove(m.seq)
			return struct{}{}, nil
		}
		if c := w.consumers[m.subject]; c != nil {
			return struct{}{}, c.ack(m.seq)
		}
		return struct{}{}, errNoReply
	})
	return err
}

// Nak is broker.Message; nobody confirms it.
func (m *delivery) Nak(delay time.Duration) error {
	return m.tell("nak", func(c *consumer) { c.nak(m.seq, delay) })
}

// InProgress is broker.Message; nobody confirms it.
func (m *delivery) InProgress() error {
	return m.tell("progress", func(c *consumer) { c.progress(m.seq) })
}

// tell sends something of which nobody hears again.
func (m *delivery) tell(op string, effect func(*consumer)) error {
	if m.consumer == nil {
		return nil
	}
	if err := m.link.awake(); err != nil {
		return err
	}
	w := m.link.w
	d := w.chance.draw(op, m.link.name+m.subject)
	if _, cut := m.link.cut(); cut || w.since() < w.plan.heal && d.hits(2, w.plan.lossy) {
		w.noted(op + " lost")
		return nil
	}
	time.AfterFunc(w.plan.latency(d, 0), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if c := w.consumers[m.subject]; c != nil {
			effect(c)
		}
	})
	return nil
}
