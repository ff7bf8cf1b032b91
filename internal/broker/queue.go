package broker

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	// pullExpiry is how long a pull request waits at the server. An idle lane
	// costs one small request and one answer in that time.
	pullExpiry = 30 * time.Second
	// pullGrace is how much later a request without an answer counts as lost.
	pullGrace = 3 * time.Second
	// retryPause keeps a queue that cannot pull from trying in a tight loop.
	retryPause = time.Second
)

// LaneQueue is a durable pull consumer on the commands stream. At most one pull
// request is open at a time; it stays open after Fetch has returned, and what it
// still brings is kept for the next Fetch. So nothing is asked for twice, an idle
// lane sleeps at the server, and a message that arrives in an idle lane is here
// without a round trip.
type LaneQueue struct {
	conn    *Conn
	id      int
	durable string

	// ensuring serialises changes of the consumer.
	ensuring sync.Mutex
	wake     chan struct{}

	mu        sync.Mutex
	spec      LaneSpec
	buffer    []*message
	request   uint64    // the number of the newest request
	epoch     uint64    // the inbox in which its answer is expected
	owed      int       // what it may still bring
	lapses    time.Time // when it counts as lost
	retryAt   time.Time // no request before
	gone      bool      // the consumer must be made again
	released  bool      // nothing is kept: it goes back
	resetting bool      // nothing is kept: it comes again
	before    uint64    // predecessors of the consumer may have delivered up to this message
	lastErr   error
}

// Fetch is Queue.Fetch. It never waits for more once it has a message. An error
// says why the queue could not be asked during the wait.
func (q *LaneQueue) Fetch(ctx context.Context, n int, wait time.Duration) ([]Message, error) {
	if n < 1 {
		return nil, nil
	}
	end := time.Now().Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		pause := q.prepare(ctx, n)
		if got := q.take(n); len(got) > 0 {
			return got, nil
		}
		left := time.Until(end)
		if left <= 0 || ctx.Err() != nil {
			return nil, q.failure()
		}
		timer.Reset(min(left, pause))
		select {
		case <-q.wake:
			// A burst is usually still arriving; let it.
			runtime.Gosched()
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// prepare makes sure that messages are asked for, unless some are here already or
// asking is impossible now. It returns when to look again at the latest.
func (q *LaneQueue) prepare(ctx context.Context, n int) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.dropStale(now)
	switch {
	case len(q.buffer) > 0:
		return 0
	case q.released || q.resetting || !q.conn.Connected():
		return pullExpiry
	case q.owed > 0 && now.Before(q.lapses):
		return q.lapses.Sub(now)
	case now.Before(q.retryAt):
		return q.retryAt.Sub(now)
	}
	if q.gone {
		q.mu.Unlock()
		err := q.ensure(ctx)
		q.mu.Lock()
		if err != nil {
			q.postpone(err)
			return retryPause
		}
		if q.owed > 0 || q.released || q.resetting { // changed meanwhile
			return retryPause
		}
	}
	if err := q.pull(n); err != nil {
		q.postpone(err)
		return retryPause
	}
	return pullExpiry + pullGrace
}

// pull opens a request. The caller holds the lock.
func (q *LaneQueue) pull(n int) error {
	q.request++
	q.owed = n
	q.lapses = time.Now().Add(pullExpiry + pullGrace)
	subject := "$JS.API.CONSUMER.MSG.NEXT." + q.conn.names.commands + "." + q.durable
	body := fmt.Appendf(nil, `{"batch":%d,"expires":%d}`, n, pullExpiry)
	var reply string
	reply, q.epoch = q.conn.inbox.reply(q.id, q.request)
	if err := q.conn.nc.PublishRequest(subject, reply, body); err != nil {
		q.owed = 0
		return fmt.Errorf("pull from %s: %w", q.durable, err)
	}
	q.lastErr = nil
	return nil
}

// postpone keeps the error for Fetch. The caller holds the lock.
func (q *LaneQueue) postpone(err error) {
	q.lastErr = err
	q.retryAt = time.Now().Add(retryPause)
}

func (q *LaneQueue) failure() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lastErr
}

// take hands out at most n of what is here.
func (q *LaneQueue) take(n int) []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.buffer))
	if n == 0 {
		return nil
	}
	out := make([]Message, n)
	for i, m := range q.buffer[:n] {
		out[i] = m
	}
	q.buffer = slices.Delete(q.buffer, 0, n)
	if len(q.buffer) > 0 || q.owed == 0 {
		q.signal() // for another Fetch that waits: for these, or to ask for more
	}
	return out
}

// dropStale forgets messages that rested here until the server's redelivery
// clock has all but run out: they come again, and only once should be handed
// out. The caller holds the lock.
func (q *LaneQueue) dropStale(now time.Time) {
	limit := q.spec.AckWait * 3 / 4
	fresh := 0
	for fresh < len(q.buffer) && now.Sub(q.buffer[fresh].arrived) > limit {
		fresh++
	}
	q.buffer = slices.Delete(q.buffer, 0, fresh)
}

// deliver takes a message in, or gives it back if nobody will fetch it.
func (q *LaneQueue) deliver(m *message) {
	m.arrived = time.Now()
	q.mu.Lock()
	m.first = m.meta.NumDelivered == 1 && m.Sequence() > q.before
	q.owed = max(q.owed-1, 0)
	released := q.released
	if !released && !q.resetting {
		q.buffer = append(q.buffer, m)
		q.signal()
	}
	q.mu.Unlock()
	if !released {
		return
	}
	if err := m.Nak(0); err != nil {
		q.conn.log.Debug("cannot give a late message back; it comes again by itself", "error", err)
	}
}

// status ends the request it names; only heartbeats do not.
func (q *LaneQueue) status(request uint64, code, text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if request != q.request || code == "100" {
		return
	}
	q.owed = 0
	switch {
	case code == "503", text == "Consumer Deleted":
		q.gone = true
	case code == "404", code == "408":
	default:
		// Leadership changes, shutdowns and refusals: not at once again.
		q.postpone(fmt.Errorf("pull from %s: the server answered %s %s", q.durable, code, text))
	}
	q.signal()
}

// signal wakes one waiting Fetch.
func (q *LaneQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// ask drops the open request, so that the next one is made at once.
func (q *LaneQueue) ask() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.owed == 0 {
		return
	}
	q.request++
	q.owed, q.retryAt = 0, time.Time{}
	q.signal()
}

// forget drops the open request if its inbox is an earlier one.
func (q *LaneQueue) forget(epoch uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.epoch == epoch {
		return
	}
	q.request++
	q.owed, q.retryAt = 0, time.Time{}
	q.signal()
}

// Release gives back everything that was fetched but not handed out, and what an
// open request still brings, so that another replica has it at once. Fetch brings
// nothing from then on, until Conn.Lane takes the queue of that name up again.
func (q *LaneQueue) Release() {
	q.mu.Lock()
	held := q.buffer
	q.buffer, q.released = nil, true
	q.mu.Unlock()
	for _, m := range held {
		if err := m.Nak(0); err != nil {
			q.conn.log.Debug("cannot give a message back; it comes again by itself", "error", err)
		}
	}
}

var _ Queue = (*LaneQueue)(nil)
