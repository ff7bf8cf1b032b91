package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/bench/internal/rival"
)

// nakDelay is how long a command rests whose token is in flight.
const nakDelay = 20 * time.Millisecond

// subjectKey is the metadata that holds where a result goes.
const subjectKey = "subject"

// subscriber feeds the router from one pull consumer. The subscribers of
// watermill-nats take a message only when the one before is acknowledged, so that
// a hundred at a time would need a hundred subscriptions; this one has as many
// under way as the job has workers.
type subscriber struct {
	job     *rival.Job
	closing sync.Once
	stop    func()
}

// Subscribe is message.Subscriber.
func (s *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	consumer, err := s.job.Consumer(ctx)
	if err != nil {
		return nil, err
	}
	output := make(chan *message.Message)
	slots := make(chan struct{}, s.job.Workers)
	running, err := consumer.Consume(func(in jetstream.Msg) {
		slots <- struct{}{}
		msg := message.NewMessage(in.Headers().Get(jetstream.MsgIDHeader), in.Data())
		msg.SetContext(ctx)
		select {
		case output <- msg:
		case <-ctx.Done():
			return
		}
		go func() {
			defer func() { <-slots }()
			settle(ctx, in, msg)
		}()
	}, jetstream.PullMaxMessages(500))
	if err != nil {
		return nil, fmt.Errorf("consume: %w", err)
	}
	s.stop = running.Stop
	return output, nil
}

// settle passes the router's decision on.
func settle(ctx context.Context, in jetstream.Msg, msg *message.Message) {
	select {
	case <-msg.Acked():
		_ = in.Ack() // lost, it comes again
	case <-msg.Nacked():
		_ = in.NakWithDelay(nakDelay)
	case <-ctx.Done():
	}
}

// Close is message.Subscriber.
func (s *subscriber) Close() error {
	s.closing.Do(s.stop)
	return nil
}

// publisher publishes results to JetStream.
type publisher struct{ job *rival.Job }

// Publish is message.Publisher.
func (p *publisher) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		_, err := p.job.JS.PublishMsg(context.Background(), &nats.Msg{
			Subject: m.Metadata.Get(subjectKey), Data: m.Payload,
			Header: nats.Header{jetstream.MsgIDHeader: {m.UUID}, "Content-Type": {"application/cloudevents+json"}},
		})
		if err != nil {
			return fmt.Errorf("publish the result: %w", err)
		}
	}
	return nil
}

// Close is message.Publisher.
func (p *publisher) Close() error { return nil }
