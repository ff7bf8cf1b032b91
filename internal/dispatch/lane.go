package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

const (
	// pullWait is how long an idle pull rests at the broker.
	pullWait = 30 * time.Second
	// laneRetry is the pause after a pull that failed.
	laneRetry = time.Second
	// recoverWait is how long a lane waits for the next of its predecessor's
	// messages before it asks whether there are more.
	recoverWait = 3 * time.Second
	// leastWaiting and mostWaiting bound the commands a lane holds that have
	// not started: enough to keep the quota busy, few enough to leave the rest
	// in the broker.
	leastWaiting, mostWaiting = 4, 256
)

// lane is the queue of one (account, region, operation, priority). It pulls only
// what it has room for, so that waiting work waits in the broker.
type lane struct {
	id      events.Lane
	subject string
	region  *region
	queue   Lane
	prio    int
	// stored: it held commands when the region began.
	stored   bool
	woken    sync.Once
	unlisten func() // ends the listening for arrivals; nil if there is none
	// maxHeld bounds unfinished commands, maxWaiting those not yet started.
	maxHeld, maxWaiting int

	mu            sync.Mutex
	held, waiting int
	gauge         prometheus.Gauge // of held; nil until something was
	room          chan struct{}    // signalled when held or waiting fell
}

// pull takes messages until ctx ends. The first of them, recovering many, were in the
// hands of an earlier owner; recovered is called once they are all known again.
func (l *lane) pull(ctx context.Context, recovering int, recovered func()) {
	defer l.queue.Release()
	taking := newTakeover(recovering)
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(func() {
		if recovering > 0 {
			l.recover(ctx, taking)
		}
		recovered()
		taking.opens()
	})
	<-taking.open
	for l.region.breaker.wait(ctx) == nil && ctx.Err() == nil {
		n := l.waitRoom(ctx)
		if n == 0 {
			return
		}
		got, err := l.queue.Fetch(ctx, n, pullWait)
		if err != nil && ctx.Err() == nil {
			l.region.log.Debug("pull failed; trying on", "lane", l.id, "error", err)
			_ = sleep(ctx, laneRetry)
		}
		for _, m := range got {
			l.hold()
			l.region.account.receive(ctx, l, m, taking.placing(m))
		}
	}
}

// waitRoom returns how many messages may be pulled, or 0 when ctx has ended. Where
// there is room for few, it waits a moment for more: pulls of one message each cost
// the broker as much as the messages.
func (l *lane) waitRoom(ctx context.Context) int {
	var patience <-chan time.Time
	for {
		room, much := l.roomFor()
		if much {
			return room
		}
		if room > 0 && patience == nil {
			patience = time.After(roomPatience)
		}
		select {
		case <-l.room:
		case <-patience:
			if room, _ := l.roomFor(); room > 0 {
				return room
			}
			patience = nil
		case <-ctx.Done():
			return 0
		}
	}
}

// roomPatience is how long a pull for few messages is put off.
const roomPatience = 20 * time.Millisecond

// roomFor is how many messages may be pulled, and whether that is worth a pull.
func (l *lane) roomFor() (room int, much bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	room = min(l.maxHeld-l.held, l.maxWaiting-l.waiting)
	return room, room >= max(1, min(l.maxHeld/16, l.maxWaiting/4))
}

// hold counts a message that has come in.
func (l *lane) hold() { l.count(1, 1) }

// count changes the lane's numbers and wakes the puller if they fell.
func (l *lane) count(held, waiting int) {
	l.mu.Lock()
	l.held += held
	l.waiting += waiting
	inFlight := l.held
	if l.gauge == nil {
		l.gauge = l.region.account.metrics.InFlight.WithLabelValues(l.labels()...)
	}
	gauge := l.gauge
	l.mu.Unlock()
	gauge.Set(float64(inFlight))
	if held < 0 || waiting < 0 {
		select {
		case l.room <- struct{}{}:
		default:
		}
	}
}

func (l *lane) labels() []string {
	return []string{l.id.Vendor, l.id.Account, l.id.Region, l.id.Operation, l.id.Priority}
}

// settled acknowledges a message and makes room. A lost acknowledgement brings
// the message again, and then its recorded outcome is announced again.
func (l *lane) settled(ctx context.Context, m broker.Message) {
	if err := m.Ack(ctx); err != nil {
		l.region.log.Warn("acknowledgement failed; the command comes again and is answered from the ledger", "lane", l.id, "error", err)
	}
	l.region.account.hands.drop(m)
}

// returned gives a message back to the broker.
func (l *lane) returned(m broker.Message, delay time.Duration) {
	_ = m.Nak(delay)
	l.region.account.hands.drop(m)
}
