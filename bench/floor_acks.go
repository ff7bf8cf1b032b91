package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// ackedCommands is how many the floor is measured with.
const ackedCommands = 4_000

// acksAlone is how many commands a second a program could take off the queue that did
// nothing with them but acknowledge them, all at once and without waiting: no program
// that acknowledges each command is faster on a server that syncs every message.
func acksAlone(ctx context.Context, b *Bench) (perSecond float64, err error) {
	nats, stub, broker, err := ground(ctx, b, rig.SyncAlways, account)
	if err != nil {
		return 0, err
	}
	defer broker.Close()
	stub.Kill()
	count := b.Size(ackedCommands, 500)
	if err := broker.Lay(ctx, benchLane, count, backlog(count)); err != nil {
		return 0, err
	}
	messages, err := take(ctx, broker, count)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for _, m := range messages {
		if err := m.Ack(); err != nil {
			return 0, fmt.Errorf("acknowledge: %w", err)
		}
	}
	err = rig.Await(ctx, 2*time.Minute, 2*time.Millisecond, "an empty queue", func() bool {
		state, err := broker.State(ctx, load.Commands(benchPrefix))
		return err == nil && state.Msgs == 0
	}, nats.Process)
	perSecond = float64(count) / time.Since(began).Seconds()
	return perSecond, firstOf(err, nats.Stop())
}

// take fetches so many messages of the queue and acknowledges none.
func take(ctx context.Context, b *load.Broker, count int) (messages []jetstream.Msg, err error) {
	consumer, err := b.JS.CreateConsumer(ctx, load.Commands(benchPrefix), jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: count, FilterSubject: benchLane.Subject(),
	})
	if err != nil {
		return nil, fmt.Errorf("take: %w", err)
	}
	for len(messages) < count {
		batch, err := consumer.Fetch(count-len(messages), jetstream.FetchMaxWait(10*time.Second))
		if err != nil {
			return nil, fmt.Errorf("take: %w", err)
		}
		before := len(messages)
		for m := range batch.Messages() {
			messages = append(messages, m)
		}
		if err := batch.Error(); err != nil {
			return nil, fmt.Errorf("take: %w", err)
		}
		if len(messages) == before {
			return nil, fmt.Errorf("take: only %d of %d messages came", len(messages), count)
		}
	}
	return messages, nil
}
