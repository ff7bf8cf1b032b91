package broker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// inbox is the one subscription on which the messages of all queues arrive;
// thousands of idle lanes cost the server a single subscription.
//
// A message arrives under the subject it was published with, so its consumer's
// name, which is in its acknowledgement subject, says which queue it is for. A
// status arrives under the reply subject of its request: inbox, queue, request.
type inbox struct {
	conn *Conn
	// following is done once there is a queue: publishers need no permission for
	// what consumers listen to.
	following sync.Once

	mu     sync.Mutex
	sub    *nats.Subscription
	prefix string
	epoch  uint64                // counts inboxes
	queues map[string]*LaneQueue // by durable name
	byID   []*LaneQueue
}

func newInbox(c *Conn) *inbox { return &inbox{conn: c, queues: map[string]*LaneQueue{}} }

// electedPrefix begins the subjects on which a cluster announces the leaders of
// consumers; stream and consumer follow.
const electedPrefix = "$JS.EVENT.ADVISORY.CONSUMER.LEADER_ELECTED."

// follow listens for new leaders of the lanes' consumers: a pull request dies with
// the server that held it, and nobody says so. Without the permission to listen,
// such a request is given up only after its time.
func (in *inbox) follow() {
	in.following.Do(func() {
		if _, err := in.conn.nc.Subscribe(electedPrefix+in.conn.names.commands+".*", in.elected); err != nil {
			in.conn.log.Warn("cannot listen for new leaders of consumers", "error", err)
		}
	})
}

// open starts a fresh inbox. The old one is left, and with it go the pull
// requests that a server may still hold from before a disconnect, which would
// otherwise deliver on top of the new ones.
func (in *inbox) open(nc *nats.Conn) error {
	prefix := nc.NewInbox()
	sub, err := nc.Subscribe(prefix+".*.*", func(m *nats.Msg) { in.receive(m) })
	if err != nil {
		return fmt.Errorf("subscribe to the inbox: %w", err)
	}
	// What may be pending is bounded by what the queues asked for.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return fmt.Errorf("subscribe to the inbox: %w", err)
	}
	in.mu.Lock()
	old := in.sub
	in.sub, in.prefix = sub, prefix
	in.epoch++
	queues, epoch := in.byID, in.epoch
	in.mu.Unlock()
	for _, q := range queues {
		q.forget(epoch)
	}
	if old != nil {
		// Draining still hands over what is on its way.
		return old.Drain()
	}
	return nil
}

// add registers a queue, or returns the one that the name has already.
func (in *inbox) add(q *LaneQueue) *LaneQueue {
	in.mu.Lock()
	defer in.mu.Unlock()
	if known := in.queues[q.durable]; known != nil {
		return known
	}
	q.id = len(in.byID)
	in.queues[q.durable] = q
	in.byID = append(in.byID, q)
	return q
}

// reply is the subject on which the answer to one request is expected, and the
// number of the inbox it belongs to.
func (in *inbox) reply(queue int, request uint64) (string, uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.prefix + "." + strconv.Itoa(queue) + "." + strconv.FormatUint(request, 10), in.epoch
}

// receive runs on the subscription's goroutine and must never wait.
func (in *inbox) receive(m *nats.Msg) {
	if queue, request, ok := in.parse(m.Subject); ok {
		queue.status(request, m.Header.Get("Status"), m.Header.Get("Description"))
		return
	}
	meta, err := m.Metadata()
	if err != nil {
		in.conn.log.Warn("a message without delivery data arrived and was dropped", "subject", m.Subject, "error", err)
		return
	}
	in.mu.Lock()
	q := in.queues[meta.Consumer]
	in.mu.Unlock()
	if q == nil {
		in.conn.log.Warn("a message for an unknown consumer arrived and was dropped", "consumer", meta.Consumer)
		return
	}
	q.deliver(&message{conn: in.conn, msg: m, meta: meta})
}

// elected is told that a consumer has another leader, of which its queue's open
// request knows nothing.
func (in *inbox) elected(m *nats.Msg) {
	_, durable, ok := strings.Cut(m.Subject, electedPrefix+in.conn.names.commands+".")
	in.mu.Lock()
	q := in.queues[durable]
	in.mu.Unlock()
	if ok && q != nil {
		q.ask()
	}
}

// parse takes the subject of a status apart; statuses of earlier inboxes name
// requests that their queues have forgotten.
func (in *inbox) parse(subject string) (*LaneQueue, uint64, bool) {
	if !strings.HasPrefix(subject, nats.InboxPrefix) {
		return nil, 0, false
	}
	tokens := strings.Split(subject, ".")
	if len(tokens) < 3 {
		return nil, 0, false
	}
	id, err1 := strconv.Atoi(tokens[len(tokens)-2])
	request, err2 := strconv.ParseUint(tokens[len(tokens)-1], 10, 64)
	in.mu.Lock()
	defer in.mu.Unlock()
	if err1 != nil || err2 != nil || id < 0 || id >= len(in.byID) {
		return nil, 0, false
	}
	return in.byID[id], request, true
}

// wakeAll lets every waiting Fetch look again.
func (in *inbox) wakeAll() {
	in.mu.Lock()
	queues := in.byID
	in.mu.Unlock()
	for _, q := range queues {
		q.signal()
	}
}

// release closes the inbox, so that the server drops all open requests, and gives
// back what the queues hold and what was on its way to them.
func (in *inbox) release(ctx context.Context) error {
	in.mu.Lock()
	sub, queues := in.sub, in.byID
	in.mu.Unlock()
	drained := make(chan struct{})
	sub.SetClosedHandler(func(string) { close(drained) })
	if err := sub.Drain(); err != nil {
		return fmt.Errorf("close the inbox: %w", err)
	}
	for _, q := range queues {
		q.Release()
	}
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the inbox: %w", ctx.Err())
	}
}
