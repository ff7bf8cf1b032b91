package simulation

import (
	"slices"
	"time"
)

// consumer is a durable pull consumer's state at the broker. It behaves as
// JetStream's: what was delivered stays pending until it is acknowledged, comes
// again when its clock runs out or it is given back, and whoever has a request
// open gets the next message. Everything in it is called under the world's lock.
type consumer struct {
	w          *world
	subject    string
	ackWait    time.Duration
	maxPending int
	store      *laneStore
	next       int    // place in the store of the next new message
	highest    uint64 // sequence delivered
	// before is up to where earlier consumers of the name had delivered, if
	// remembers; it is kept with the consumer.
	before    uint64
	remembers bool
	pending   map[uint64]*pending
	again     []uint64 // to be delivered again
	requests  []*request
	timer     *time.Timer
}

type pending struct {
	until      time.Time
	deliveries int
	queued     bool // in again
}

// request is an open pull request.
type request struct {
	queue   *queue
	number  uint64
	left    int
	expires time.Time
}

// make creates a subject's consumer, or brings the one there is up to date; it
// reports whether it is new.
func (w *world) make(q *queue, before uint64, remembers bool) (created bool) {
	c := w.consumers[q.subject]
	if c == nil {
		c = &consumer{w: w, subject: q.subject, store: w.lane(q.subject), pending: map[uint64]*pending{}, before: before, remembers: remembers}
		w.consumers[q.subject] = c
		created = true
	}
	c.ackWait, c.maxPending = q.ackWait, q.most
	return created
}

// remove deletes the consumer, and with it what it knows of its deliveries.
func (c *consumer) remove() {
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, r := range c.requests {
		r.queue.told(r.number, true)
	}
	delete(c.w.consumers, c.subject)
}

// unacked is what the broker package makes of the consumer's state.
func (c *consumer) unacked() int {
	if (c.remembers || c.highest > 0) && c.highest >= c.before {
		return len(c.pending)
	}
	return min(c.store.left, c.maxPending)
}

// undelivered counts the stored messages that nobody has in hand now.
func (c *consumer) undelivered() int {
	n := 0
	for _, m := range c.store.all[c.next:] {
		if m != nil {
			n++
		}
	}
	return n
}

// pump delivers whatever can be delivered, and sets the clock for the rest.
func (c *consumer) pump() {
	now := time.Now()
	c.expire(now)
	batches := map[*request][]*delivery{}
	var order []*request
	for {
		r := c.request(now)
		if r == nil {
			break
		}
		m := c.take()
		if m == nil {
			c.requests = append([]*request{r}, c.requests...)
			break
		}
		p := c.pending[m.seq]
		p.deliveries++
		p.until, p.queued = now.Add(c.ackWait), false
		if batches[r] == nil {
			order = append(order, r)
		}
		batches[r] = append(batches[r], &delivery{stored: m, consumer: c, link: r.queue.link, count: p.deliveries})
		if r.left--; r.left > 0 {
			c.requests = append(c.requests, r)
		}
	}
	for _, r := range order {
		r.queue.send(batches[r], r.number)
	}
	c.wind(now)
}

// expire queues what was not settled in time.
func (c *consumer) expire(now time.Time) {
	var late []uint64
	for seq, p := range c.pending {
		if !p.queued && !now.Before(p.until) {
			p.queued = true
			late = append(late, seq)
		}
	}
	slices.Sort(late)
	c.again = append(c.again, late...)
}

// request is the next open request that still has somebody behind it.
func (c *consumer) request(now time.Time) *request {
	for len(c.requests) > 0 {
		r := c.requests[0]
		c.requests = c.requests[1:]
		if now.Before(r.expires) && !r.queue.link.gone() {
			return r
		}
	}
	return nil
}

// take is the next message to deliver, or nil.
func (c *consumer) take() *stored {
	for len(c.again) > 0 {
		seq := c.again[0]
		c.again = c.again[1:]
		m := c.store.find(seq)
		if m == nil || c.pending[seq] == nil {
			delete(c.pending, seq)
			continue
		}
		return m
	}
	if len(c.pending) >= c.maxPending {
		return nil
	}
	for c.next < len(c.store.all) {
		m := c.store.all[c.next]
		c.next++
		if m != nil {
			c.highest = max(c.highest, m.seq)
			c.pending[m.seq] = &pending{}
			return m
		}
	}
	return nil
}

// wind sets the clock to the first moment at which something comes again.
func (c *consumer) wind(now time.Time) {
	var first time.Time
	for _, p := range c.pending {
		if !p.queued && (first.IsZero() || p.until.Before(first)) {
			first = p.until
		}
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	if first.IsZero() {
		return
	}
	c.timer = time.AfterFunc(first.Sub(now), func() {
		c.w.mu.Lock()
		defer c.w.mu.Unlock()
		if c.w.consumers[c.subject] == c {
			c.pump()
		}
	})
}

// ack ends a message, whoever acknowledges it. One that this consumer has not
// delivered since it was made is left alone, and the asker without an answer.
func (c *consumer) ack(seq uint64) error {
	if seq > c.highest && c.store.find(seq) != nil {
		return errNoReply
	}
	delete(c.pending, seq)
	c.store.remove(seq)
	c.pump()
	return nil
}

// nak gives a message back.
func (c *consumer) nak(seq uint64, delay time.Duration) {
	p := c.pending[seq]
	if p == nil {
		return
	}
	if delay > 0 {
		if !p.queued {
			p.until = time.Now().Add(delay)
		}
	} else if !p.queued {
		p.queued = true
		c.again = append(c.again, seq)
	}
	c.pump()
}

// progress restarts a message's clock.
func (c *consumer) progress(seq uint64) {
	if p := c.pending[seq]; p != nil && !p.queued {
		p.until = time.Now().Add(c.ackWait)
		c.wind(time.Now())
	}
}
