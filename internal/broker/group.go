package broker

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/recent"
)

const (
	// minBatch is the fewest writes that share a batch: a batch costs the server as
	// much as ten to twenty messages flushed one by one.
	minBatch = 16
	// maxBatch keeps well under the server's limit of a thousand.
	maxBatch = 500
	// maxBatches is how many batches of one stream are on their way at a time: the
	// server takes one in while it flushes the other.
	maxBatches = 2
	// singlesWindow is how many single writes keep the server busy; what exceeds
	// them waits for company while batches are the cheaper way.
	singlesWindow = 8
	// recentKeys is how many keys a group remembers, at least.
	recentKeys = 4096
)

// group stores messages in one stream. Where that is cheaper, writes that would only
// wait at the server go together as an atomic batch, so that one flush to disk does
// for all of them. Its meter finds out whether it is.
type group struct {
	conn   *Conn
	stream string
	// takes says that the stream allows batches.
	takes atomic.Bool

	mu      sync.Mutex
	meter   meter
	singles int      // single writes in flight
	batches int      // batches in flight
	inBatch int      // writes in them
	queue   []*write // what waits for a batch
	late    []*write // what shall not come before the write of the same key
	want    int      // how many shall wait before they go as a batch
	recent  recent.Keys
}

// write is one message on its way into a stream.
type write struct {
	group *group
	msg   *nats.Msg
	// key is what no two writes of a batch may share; empty is always different.
	key string
	// fresh says that the stream refuses the write, or passes it over, if it knows
	// the key already.
	fresh bool
	// alone keeps a write that will probably be refused from spoiling a batch.
	alone bool
	// limited is false if the caller's context limits the time.
	limited bool
	done    chan outcome
	// waiting is true while the write is in the queue; the group's lock guards it.
	waiting bool
}

// outcome is what became of a write.
type outcome struct {
	sequence uint64
	err      error
}

// store sends one message and waits until it is stored or refused, or until its
// outcome is unknown.
func (g *group) store(ctx context.Context, w *write) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	_, bounded := ctx.Deadline()
	w.group, w.limited, w.done = g, !bounded, make(chan outcome, 1)
	g.submit(w)
	select {
	case got := <-w.done:
		return got.sequence, got.err
	case <-ctx.Done():
		g.withdraw(w)
		return 0, ctx.Err()
	}
}

// together reports whether writes wait for company now. The caller holds the lock.
func (g *group) together() bool { return g.meter.batching && g.takes.Load() }

// pending is how many writes wait to be sent or for their answer. The caller holds the
// lock.
func (g *group) pending() int { return g.singles + g.inBatch + len(g.queue) + len(g.late) }

// batching is together for a caller without the lock.
func (g *group) batching() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.together()
}

// submit sends a write at once, unless it had better wait.
func (g *group) submit(w *write) {
	g.mu.Lock()
	together := g.together()
	second := together && w.fresh && w.key != "" && g.recent.Add(w.key)
	idle := g.batches == 0 && g.singles < singlesWindow && len(g.queue) == 0
	if !together || w.alone || idle {
		g.singles++
		g.mu.Unlock()
		w.send()
		return
	}
	w.waiting = true
	if second {
		g.late = append(g.late, w)
	} else {
		g.queue = append(g.queue, w)
	}
	next := g.next()
	g.mu.Unlock()
	next.send()
}

// withdraw takes a write that has not been sent out of the queue.
func (g *group) withdraw(w *write) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.waiting = false
}

// work is what may be sent now.
type work struct {
	singles []*write
	batch   *batch
}

func (n work) send() {
	if n.batch != nil {
		go n.batch.send()
	}
	for _, w := range n.singles {
		w.send()
	}
}

// next takes out of the queue what need not wait any longer. The caller holds the
// lock.
func (g *group) next() (n work) {
	together := g.together()
	if together && len(g.queue) >= max(g.want, minBatch) && g.batches < maxBatches && g.singles <= singlesWindow {
		n.batch = g.collect()
	}
	for len(g.queue) > 0 && (!together || g.batches == 0 && g.singles < singlesWindow) {
		n.singles = append(n.singles, g.release(g.queue[:1])...)
		g.queue = g.queue[1:]
	}
	if len(g.queue) == 0 && (!together || g.batches == 0) {
		n.singles = append(n.singles, g.release(g.late)...)
		g.late = nil
	}
	return n
}

// release returns those that still wait, to be sent singly. The caller holds the lock.
func (g *group) release(queue []*write) (singles []*write) {
	for _, w := range queue {
		if w.waiting {
			w.waiting = false
			singles = append(singles, w)
		}
	}
	g.singles += len(singles)
	return singles
}

// collect makes a batch of what waits, or nothing if that is too little. Of two
// writes of one key the second goes on waiting. The caller holds the lock.
func (g *group) collect() *batch {
	keys := make(map[string]struct{}, len(g.queue))
	var members, left []*write
	for _, w := range g.queue {
		_, twice := keys[w.key]
		switch {
		case !w.waiting:
		case len(members) == maxBatch, twice:
			left = append(left, w)
		default:
			members = append(members, w)
			if w.key != "" {
				keys[w.key] = struct{}{}
			}
		}
	}
	if len(members) < minBatch {
		return nil
	}
	for _, w := range members {
		w.waiting = false
	}
	g.queue = left
	g.batches++
	g.inBatch += len(members)
	// The members come back one by one. The first few shall wait for the others.
	g.want = len(members) / 2
	b := &batch{group: g, members: members, late: g.late}
	g.late = nil
	return b
}

// send publishes a write by itself.
func (w *write) send() {
	if _, err := w.group.conn.requests.start(w.msg, w.limited, w); err != nil {
		w.answered(nil, err)
	}
}

// answered takes the stream's answer to a single write.
func (w *write) answered(m *nats.Msg, err error) {
	var got outcome
	if got.err = err; err == nil {
		got.sequence, got.err = readAck(m.Data)
	}
	g := w.group // the caller may send it again
	w.done <- got
	g.mu.Lock()
	g.singles--
	if err == nil {
		g.meter.single(g.pending(), g.batches)
	}
	g.want /= 2 // fewer come than came
	next := g.next()
	g.mu.Unlock()
	next.send()
}

// allowBatches takes note of how a stream is configured.
func (c *Conn) allowBatches(have jetstream.StreamConfig) {
	if g := c.groups[have.Name]; g != nil {
		g.takes.Store(have.AllowAtomicPublish)
	}
}
