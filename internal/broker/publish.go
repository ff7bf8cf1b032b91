package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoStream means that no stream takes the subject: its account is configured
// nowhere, or the streams do not exist. Nothing was written.
var ErrNoStream = errors.New("no stream takes this subject")

const (
	// noStreamWait and noStreamAttempts ride out the moment in which a stream
	// changes its leader or the server restarts.
	noStreamWait     = 250 * time.Millisecond
	noStreamAttempts = 4
)

// Publish stores a message in the stream that takes its subject.
func (c *Conn) Publish(ctx context.Context, m Outgoing) error {
	header := make(nats.Header, len(m.Header)+1)
	maps.Copy(header, m.Header)
	if m.ID != "" {
		header[jetstream.MsgIDHeader] = []string{m.ID}
	}
	w := &write{msg: &nats.Msg{Subject: m.Subject, Header: header, Data: m.Data}, key: m.ID, fresh: true}
	if _, err := c.store(ctx, c.names.streamOf(m.Subject), w); err != nil {
		return fmt.Errorf("publish to %s: %w", m.Subject, err)
	}
	return nil
}

// store publishes and waits for the stream's answer. Concurrent calls share the
// connection without waiting for each other.
func (c *Conn) store(ctx context.Context, stream string, w *write) (uint64, error) {
	for try := 0; ; try++ {
		sequence, err := c.storeOnce(ctx, stream, w)
		switch {
		case err == nil:
			return sequence, nil
		case !errors.Is(err, nats.ErrNoResponders):
			return 0, storeError(stream, err)
		case try == noStreamAttempts:
			return 0, storeError(stream, jetstream.ErrNoStreamResponse)
		}
		select {
		case <-time.After(noStreamWait):
		case <-ctx.Done():
			return 0, storeError(stream, ctx.Err())
		}
	}
}

func (c *Conn) storeOnce(ctx context.Context, stream string, w *write) (uint64, error) {
	if g := c.groups[stream]; g != nil {
		return g.store(ctx, w)
	}
	answer, err := c.requests.do(ctx, w.msg)
	if err != nil {
		return 0, err
	}
	return readAck(answer.Data)
}

// storeError sorts the answers of a stream into those that callers tell apart.
func storeError(stream string, err error) error {
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("%w; configure its account at a consumer, or wait until the streams exist", ErrNoStream)
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("stream %s: %w", stream, err)
	}
	switch {
	case api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence,
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return fmt.Errorf("stream %s: %w", stream, ErrConflict)
	case isFull(api):
		return fmt.Errorf("%w: %s: %s; raise its limit or free space", ErrFull, stream, api.Description)
	}
	return fmt.Errorf("stream %s: %w", stream, err)
}

// isFull recognises limits of the stream, the account and the disk. What else
// keeps the store from writing leaves the outcome unknown.
func isFull(err *jetstream.APIError) bool {
	switch err.ErrorCode {
	case codeAccountResources, codeInsufficient, codeMemoryResources, codeStorageResources:
		return true
	case codeStoreFailed:
		return strings.Contains(err.Description, "maximum") || strings.Contains(err.Description, "no space left")
	}
	return false
}

var _ Publisher = (*Conn)(nil)
