package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// errEnded is returned for a second Ack or Nak of one delivery.
var errEnded = errors.New("this delivery was acknowledged or given back before")

var (
	bodyAck      = []byte("+ACK")
	bodyProgress = []byte("+WPI")
)

// message is one delivery by a consumer.
type message struct {
	conn    *Conn
	msg     *nats.Msg
	meta    *nats.MsgMetadata
	first   bool
	arrived time.Time
	ended   atomic.Bool
}

// Subject is the subject under which the message was published.
func (m *message) Subject() string { return m.msg.Subject }

// Header returns the headers as published.
func (m *message) Header() Header { return Header(m.msg.Header) }

// Data is the payload.
func (m *message) Data() []byte { return m.msg.Data }

// Received is when the broker stored the message.
func (m *message) Received() time.Time { return m.meta.Timestamp }

// Sequence is the message's place in its stream.
func (m *message) Sequence() uint64 { return m.meta.Sequence.Stream }

// Deliveries counts from 1.
func (m *message) Deliveries() int { return int(m.meta.NumDelivered) }

// First is Message.First.
func (m *message) First() bool { return m.first }

// Ack may be repeated after an error, whose outcome is unknown.
func (m *message) Ack(ctx context.Context) error {
	if m.ended.Load() {
		return m.fail("acknowledge", errEnded)
	}
	if _, err := m.conn.requests.do(ctx, &nats.Msg{Subject: m.msg.Reply, Data: bodyAck}); err != nil {
		return m.fail("acknowledge", err)
	}
	m.ended.Store(true)
	return nil
}

// Nak is not confirmed: lost, it is made up for by the redelivery clock.
func (m *message) Nak(delay time.Duration) error {
	if m.ended.Swap(true) {
		return m.fail("give back", errEnded)
	}
	body := "-NAK"
	if delay > 0 {
		body += ` {"delay": ` + strconv.FormatInt(delay.Nanoseconds(), 10) + `}`
	}
	if err := m.conn.nc.Publish(m.msg.Reply, []byte(body)); err != nil {
		m.ended.Store(false)
		return m.fail("give back", err)
	}
	return nil
}

// InProgress is not confirmed either; the next heartbeat makes up for a lost one.
func (m *message) InProgress() error {
	if m.ended.Load() {
		return nil
	}
	if err := m.conn.nc.Publish(m.msg.Reply, bodyProgress); err != nil {
		return m.fail("keep", err)
	}
	return nil
}

func (m *message) fail(what string, err error) error {
	return fmt.Errorf("%s message %d of %s: %w", what, m.Sequence(), m.meta.Stream, err)
}
