package broker

import (
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
)

// arrivalsBuffer is how many arrivals may wait to be told of. More are dropped.
const arrivalsBuffer = 1024

// arrivals tells who is interested that a command was published. It listens beside
// JetStream, so it is quick, costs the server no consumer, and may miss some.
type arrivals struct {
	conn  *Conn
	start sync.Once
	news  chan *nats.Msg

	mu        sync.Mutex
	listeners map[*nats.Subscription]func()
	subjects  map[string]int // how often each is listened to
	forbidden bool           // that has been said
}

func newArrivals(c *Conn) *arrivals {
	return &arrivals{
		conn: c, news: make(chan *nats.Msg, arrivalsBuffer),
		listeners: map[*nats.Subscription]func(){}, subjects: map[string]int{},
	}
}

// Arrivals calls arrived whenever a message is published on exactly that subject,
// until stop is called or the connection closed. It may miss some, and it misses all
// if the server forbids to listen, which is logged once. arrived must not wait.
func (c *Conn) Arrivals(subject string, arrived func()) (stop func(), err error) {
	a := c.arrivals
	a.start.Do(func() { go a.run() })
	a.mu.Lock()
	defer a.mu.Unlock()
	a.subjects[subject]++ // before the server can refuse
	sub, err := c.nc.ChanSubscribe(subject, a.news)
	if err != nil {
		a.forget(subject)
		return nil, fmt.Errorf("listen for commands on %s: %w", subject, err)
	}
	a.listeners[sub] = arrived
	return sync.OnceFunc(func() { a.stop(sub) }), nil
}

// run tells of arrivals, all on one goroutine.
func (a *arrivals) run() {
	for {
		select {
		case m := <-a.news:
			a.mu.Lock()
			arrived := a.listeners[m.Sub]
			a.mu.Unlock()
			if arrived != nil {
				arrived()
			}
		case <-a.conn.life.Done():
			return
		}
	}
}

func (a *arrivals) stop(sub *nats.Subscription) {
	a.mu.Lock()
	delete(a.listeners, sub)
	a.forget(sub.Subject)
	a.mu.Unlock()
	if err := sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		a.conn.log.Debug("cannot stop listening for commands", "subject", sub.Subject, "error", err)
	}
}

// forget counts one listener less. The caller holds the lock.
func (a *arrivals) forget(subject string) {
	if a.subjects[subject]--; a.subjects[subject] <= 0 {
		delete(a.subjects, subject)
	}
}

// excuses takes the errors that only cost some arrivals: more came than could be told
// of, or the server forbids to listen.
func (a *arrivals) excuses(sub *nats.Subscription, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if sub != nil && errors.Is(err, nats.ErrSlowConsumer) {
		_, ours := a.listeners[sub]
		return ours
	}
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return false
	}
	subject, ok := refusedSubscription(err)
	if !ok || a.subjects[subject] == 0 {
		return false
	}
	if !a.forbidden {
		a.conn.log.Warn("not allowed to listen for commands, so that idle lanes hear of them later; allow the NATS user to subscribe to the subjects of its accounts",
			"error", err)
	}
	a.forbidden = true
	return true
}

// refusedSubscription reads from the server's error which subject may not be
// subscribed to.
func refusedSubscription(err error) (string, bool) {
	return quotedAfter(err, `Subscription to "`)
}
