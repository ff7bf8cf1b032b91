package rig

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/events"
)

// Result is one stored result event.
type Result struct {
	events.ResultEvent
	// Stored is when the broker took it.
	Stored time.Time
}

// Results reads the results stream from its beginning, in steps.
type Results struct {
	js     jetstream.JetStream
	prefix string
	next   uint64
	read   []Result
}

// NewResults reads the results of a prefix, until the test ends.
func NewResults(tb testing.TB, url, prefix string) *Results {
	tb.Helper()
	js := JetStream(tb, url)
	return &Results{js: js, prefix: prefix, next: 1}
}

// JetStream connects to the broker itself, until the test ends, for what the
// program's own connection does not offer.
func JetStream(tb testing.TB, url string) jetstream.JetStream {
	tb.Helper()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.RetryOnFailedConnect(true),
		// The server may be frozen: another one may answer.
		nats.PingInterval(2*time.Second), nats.MaxPingsOutstanding(1))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(3*time.Second))
	if err != nil {
		tb.Fatal(err)
	}
	return js
}

// Read returns all results that are stored now. After an error it may simply be
// called again; what was read is kept.
func (r *Results) Read(ctx context.Context) ([]Result, error) {
	stream, err := r.js.Stream(ctx, strings.ToUpper(r.prefix)+"_RESULTS")
	if err != nil {
		return r.read, fmt.Errorf("read results: %w", err)
	}
	state := stream.CachedInfo().State
	for last := state.LastSeq; r.next <= last; r.next++ {
		m, err := stream.GetMsg(ctx, r.next)
		if errors.Is(err, jetstream.ErrMsgNotFound) && r.next < state.FirstSeq {
			continue // any other is there, but not yet on the replica that was asked
		}
		if err != nil {
			return r.read, fmt.Errorf("read result %d: %w", r.next, err)
		}
		e, err := events.DecodeResult(m.Data)
		if err != nil {
			return r.read, err
		}
		r.read = append(r.read, Result{e, m.Time})
	}
	return r.read, nil
}

// Waiting counts the commands that are stored and not acknowledged.
func (r *Results) Waiting(ctx context.Context) (uint64, error) {
	stream, err := r.js.Stream(ctx, strings.ToUpper(r.prefix)+"_COMMANDS")
	if err != nil {
		return 0, fmt.Errorf("count waiting commands: %w", err)
	}
	return stream.CachedInfo().State.Msgs, nil
}
