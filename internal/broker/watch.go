package broker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// watchIdle is how often a quiet watch looks whether its context has ended.
	watchIdle = 30 * time.Second
	// watchSettle is how long the present values may pause. Some that were there
	// when the watch began may have expired since and will never come.
	watchSettle = time.Second
)

// Watch is KV.Watch. A reader that is slow slows only its own watch.
func (b *bucket) Watch(ctx context.Context, pattern string) (<-chan Entry, error) {
	f, err := b.conn.follow(ctx, b.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{b.subject(pattern)},
		DeliverPolicy:  jetstream.DeliverLastPerSubjectPolicy,
	})
	if err != nil {
		return nil, b.fail("watch", pattern, err)
	}
	w := &watch{bucket: b, follower: f, out: make(chan Entry, 64)}
	go w.run(ctx)
	return w.out, nil
}

// watch carries one bucket's changes to one reader.
type watch struct {
	bucket   *bucket
	follower *follower
	out      chan Entry
	received uint64
	settled  bool // the present values are all delivered
}

func (w *watch) run(ctx context.Context) {
	defer close(w.out)
	ctx, stop := w.follower.bind(ctx, w.bucket.conn)
	defer stop()
	if w.follower.pending == 0 && !w.settle(ctx) {
		return
	}
	for ctx.Err() == nil {
		wait := watchIdle
		if !w.settled {
			wait = watchSettle
		}
		msg, err := w.follower.next(ctx, wait)
		if err != nil || !w.pass(ctx, msg) {
			return
		}
	}
}

// pass hands one message on, or takes its absence as the end of the present
// values. It returns false when the watch is over.
func (w *watch) pass(ctx context.Context, msg jetstream.Msg) bool {
	if msg == nil {
		return w.settled || !w.bucket.conn.Connected() || w.settle(ctx)
	}
	e, pending, err := w.bucket.entry(msg)
	if err != nil {
		w.bucket.conn.log.Error("watch ended", "bucket", w.bucket.name, "error", err)
		return false
	}
	w.received++
	// Removals are no present values, but they count as such at the server.
	if (w.settled || !e.Deleted) && !w.send(ctx, e) {
		return false
	}
	if !w.settled && (pending == 0 || w.received >= w.follower.pending) {
		return w.settle(ctx)
	}
	return true
}

// settle sends the empty entry that ends the present values.
func (w *watch) settle(ctx context.Context) bool {
	w.settled = true
	return w.send(ctx, Entry{})
}

func (w *watch) send(ctx context.Context, e Entry) bool {
	select {
	case w.out <- e:
		return true
	case <-ctx.Done():
		return false
	}
}

// entry reads a delivered message, and how many are to come after it.
func (b *bucket) entry(msg jetstream.Msg) (Entry, uint64, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return Entry{}, 0, fmt.Errorf("delivery data of %s: %w", msg.Subject(), err)
	}
	e := Entry{
		Key:      strings.TrimPrefix(msg.Subject(), b.subject("")),
		Value:    msg.Data(),
		Revision: meta.Sequence.Stream,
		Created:  meta.Timestamp,
		Deleted:  isRemoval(Header(msg.Headers())),
	}
	return e, meta.NumPending, nil
}
