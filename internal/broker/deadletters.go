package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// DeadLetter is a message that could not be answered.
type DeadLetter struct {
	Sequence uint64
	Time     time.Time
	Subject  string
	Header   Header
	Data     []byte
}

// DeadLetters returns the newest dead letters, oldest first, at most limit of them.
func (c *Conn) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	stream, err := c.stream(ctx, c.names.deadLetters)
	if err != nil {
		return nil, fmt.Errorf("list dead letters in %s: %w", c.names.deadLetters, err)
	}
	var out []DeadLetter
	for from := startOfNewest(stream.CachedInfo().State, limit); ; {
		m, err := c.get(ctx, c.names.deadLetters, getRequest{Sequence: from, Next: c.names.prefix + ".deadletters.>"})
		if errors.Is(err, ErrNotFound) {
			return out[max(len(out)-limit, 0):], nil
		}
		if err != nil {
			return nil, fmt.Errorf("list dead letters: %w", err)
		}
		out = append(out, deadLetter(m))
		from = m.sequence + 1
	}
}

// startOfNewest is a sequence from which on there are at least limit messages, if
// the stream has as many. Gaps inside make it start earlier than needed.
func startOfNewest(s jetstream.StreamState, limit int) uint64 {
	back := uint64(max(limit, 0) + s.NumDeleted)
	if s.LastSeq < back {
		return 1
	}
	return max(s.LastSeq-back+1, 1)
}

// DeadLetter returns one dead letter by its sequence, or ErrNotFound.
func (c *Conn) DeadLetter(ctx context.Context, sequence uint64) (DeadLetter, error) {
	m, err := c.get(ctx, c.names.deadLetters, getRequest{Sequence: sequence})
	if err != nil {
		return DeadLetter{}, fmt.Errorf("dead letter %d: %w", sequence, err)
	}
	return deadLetter(m), nil
}

func deadLetter(m stored) DeadLetter {
	return DeadLetter{Sequence: m.sequence, Time: m.time, Subject: m.subject, Header: m.header, Data: m.data}
}
