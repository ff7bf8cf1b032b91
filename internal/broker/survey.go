package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Waiting counts the stored commands of each subject, those in work included.
func (c *Conn) Waiting(ctx context.Context) (map[string]uint64, error) {
	return c.waiting(ctx, ">")
}

// WaitingOf is Waiting for the commands of one account.
func (c *Conn) WaitingOf(ctx context.Context, vendor, account string) (map[string]uint64, error) {
	return c.waiting(ctx, c.names.prefix+".commands."+vendor+"."+account+".>")
}

// waiting asks once a page, without the look at the stream first that the client
// library makes: there may be hundreds of accounts to ask about, all the time.
func (c *Conn) waiting(ctx context.Context, filter string) (map[string]uint64, error) {
	all := map[string]uint64{}
	for {
		page, total, err := c.waitingFrom(ctx, filter, len(all))
		if err != nil {
			return nil, fmt.Errorf("survey %s: %w", c.names.commands, err)
		}
		maps.Copy(all, page)
		if len(page) == 0 || len(all) >= total {
			return all, nil
		}
	}
}

// waitingFrom returns one page of subjects, and how many there are.
func (c *Conn) waitingFrom(ctx context.Context, filter string, offset int) (map[string]uint64, int, error) {
	body, err := json.Marshal(map[string]any{"subjects_filter": filter, "offset": offset})
	if err != nil {
		return nil, 0, err
	}
	m, err := c.requests.do(ctx, &nats.Msg{Subject: "$JS.API.STREAM.INFO." + c.names.commands, Data: body})
	if err != nil {
		return nil, 0, err
	}
	var info struct {
		Error *jetstream.APIError `json:"error"`
		Total int                 `json:"total"`
		State struct {
			Subjects map[string]uint64 `json:"subjects"`
		} `json:"state"`
	}
	if err := json.Unmarshal(m.Data, &info); err != nil {
		return nil, 0, fmt.Errorf("answer of the server: %w", err)
	}
	if info.Error != nil {
		return nil, 0, info.Error
	}
	return info.State.Subjects, info.Total, nil
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

// First is always false: nobody knows.
func (m *storedMessage) First() bool { return false }

// Ack deletes the message. It being gone already is as good.
func (m *storedMessage) Ack(ctx context.Context) error {
	if err := m.conn.remove(ctx, m.conn.names.commands, m.stored.sequence); err != nil {
		return fmt.Errorf("delete message %d of %s: %w", m.stored.sequence, m.conn.names.commands, err)
	}
	return nil
}

// Nak does nothing: the message was never taken out.
func (m *storedMessage) Nak(time.Duration) error { return nil }

// InProgress does nothing: no clock runs.
func (m *storedMessage) InProgress() error { return nil }
