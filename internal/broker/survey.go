package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Waiting counts the stored commands of each subject, those in work included.
func (c *Conn) Waiting(ctx context.Context) (map[string]uint64, error) {
	return c.waiting(ctx, ">")
}

func (c *Conn) waiting(ctx context.Context, filter string) (map[string]uint64, error) {
	stream, err := c.js.Stream(ctx, c.names.commands)
	if err != nil {
		return nil, fmt.Errorf("survey %s: %w", c.names.commands, err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, fmt.Errorf("survey %s: %w", c.names.commands, err)
	}
	return info.State.Subjects, nil
}

// First returns the oldest command of a subject that no lane serves, or
// ErrNotFound. Nothing keeps it from being read twice; its Ack deletes it from the
// stream, and it stays until then.
func (c *Conn) First(ctx context.Context, subject string) (Message, error) {
	m, err := c.get(ctx, c.names.commands, getRequest{Sequence: 1, Next: subject})
	if err != nil {
		return nil, fmt.Errorf("first message of %s: %w", subject, err)
	}
	return &storedMessage{conn: c, stored: m}, nil
}

// storedMessage is a message read without a consumer, so that it has no
// redelivery clock.
type storedMessage struct {
	conn   *Conn
	stored stored
}

// Subject is the subject under which the message was published.
func (m *storedMessage) Subject() string { return m.stored.subject }

// Header returns the headers as published.
func (m *storedMessage) Header() Header { return m.stored.header }

// Data is the payload.
func (m *storedMessage) Data() []byte { return m.stored.data }

// Received is when the broker stored the message.
func (m *storedMessage) Received() time.Time { return m.stored.time }

// Sequence is the message's place in its stream.
func (m *storedMessage) Sequence() uint64 { return m.stored.sequence }

// Deliveries is always 1: nobody counts.
func (m *storedMessage) Deliveries() int { return 1 }

// Ack deletes the message. It being gone already is as good.
func (m *storedMessage) Ack(ctx context.Context) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if err := m.conn.remove(ctx, m.conn.names.commands, m.stored.sequence); err != nil {
		return fmt.Errorf("delete message %d of %s: %w", m.stored.sequence, m.conn.names.commands, err)
	}
	return nil
}

// Nak does nothing: the message was never taken out.
func (m *storedMessage) Nak(time.Duration) error { return nil }

// InProgress does nothing: no clock runs.
func (m *storedMessage) InProgress() error { return nil }
