package broker

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// followIdle is after how long without a heartbeat of ours the server drops an
// ordered consumer that nobody ended.
const followIdle = 30 * time.Second

// follower reads a stream in order through an ordered consumer, which the client
// library makes again after a gap or a reconnect.
type follower struct {
	stream  string
	iter    jetstream.MessagesContext
	pending uint64 // how many messages it will deliver of those stored now
}

// follow opens an ordered consumer. It exists when follow returns, so that
// nothing stored later is missed.
func (c *Conn) follow(ctx context.Context, stream string, cfg jetstream.OrderedConsumerConfig) (*follower, error) {
	cfg.InactiveThreshold = followIdle
	consumer, err := guarded(ctx, c, stream, func(ctx context.Context) (jetstream.Consumer, error) {
		return c.following().OrderedConsumer(ctx, stream, cfg)
	})
	if err != nil {
		return nil, err
	}
	pending := consumer.CachedInfo().NumPending
	iter, err := consumer.Messages()
	if err != nil {
		return nil, err
	}
	return &follower{stream: stream, iter: iter, pending: pending}, nil
}

// bind ends the follower with the context and with the connection, even while it
// waits for a server that is away, and when the server forbids it to go on.
func (f *follower) bind(ctx context.Context, c *Conn) (context.Context, func()) {
	ctx, cancel := c.guard(ctx, f.stream)
	unlink := context.AfterFunc(c.life, cancel)
	stop := context.AfterFunc(ctx, f.iter.Stop)
	return ctx, func() {
		unlink()
		stop()
		cancel()
		f.iter.Stop()
	}
}

// next waits for a message. No message and no error: none came within wait.
func (f *follower) next(ctx context.Context, wait time.Duration) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	msg, err := f.iter.Next(jetstream.NextContext(ctx))
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		return nil, nil
	}
	return msg, err
}
