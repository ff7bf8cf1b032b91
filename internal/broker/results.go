package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ResultFilter selects results. Without Since, Start and New all that are stored
// come first.
type ResultFilter struct {
	// Subject may hold wildcards; empty means all results.
	Subject string
	// Since goes back from now.
	Since time.Duration
	// Start is the time from which on results are wanted.
	Start time.Time
	// New wants only what is stored after the call.
	New bool
}

// ResultMessage is one stored result.
type ResultMessage struct {
	Subject  string
	Header   Header
	Data     []byte
	Time     time.Time
	Sequence uint64
}

// Results follows the results stream until ctx ends; then the channel is closed.
// When it returns, it misses nothing that is stored from then on.
func (c *Conn) Results(ctx context.Context, filter ResultFilter) (<-chan ResultMessage, error) {
	cfg, err := c.resultsConfig(ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("follow results: %w", err)
	}
	f, err := c.follow(ctx, c.names.results, cfg)
	if err != nil {
		return nil, fmt.Errorf("follow results in %s: %w", c.names.results, err)
	}
	out := make(chan ResultMessage, 64)
	go c.passResults(ctx, f, out)
	return out, nil
}

// resultsConfig turns "new" into the sequence it means now: asked for literally,
// a consumer made again after a reconnect would skip what came in between.
func (c *Conn) resultsConfig(ctx context.Context, filter ResultFilter) (jetstream.OrderedConsumerConfig, error) {
	subject := filter.Subject
	if subject == "" {
		subject = c.names.prefix + ".results.>"
	}
	cfg := jetstream.OrderedConsumerConfig{FilterSubjects: []string{subject}, DeliverPolicy: jetstream.DeliverAllPolicy}
	start := filter.Start
	if filter.Since > 0 {
		start = time.Now().Add(-filter.Since)
	}
	stream, err := c.resultsStream(ctx)
	if err != nil {
		return cfg, fmt.Errorf("stream %s: %w", c.names.results, err)
	}
	switch {
	case filter.New:
		cfg.DeliverPolicy = jetstream.DeliverByStartSequencePolicy
		cfg.OptStartSeq = stream.CachedInfo().State.LastSeq + 1
	case !start.IsZero():
		cfg.DeliverPolicy = jetstream.DeliverByStartTimePolicy
		cfg.OptStartTime = &start
	}
	return cfg, nil
}

// resultsStream looks at the stream of results. A NATS account without JetStream may
// have what it takes to follow results lent by Sluice's, under $JS.<prefix>.API.
func (c *Conn) resultsStream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := c.stream(ctx, c.names.results)
	if !errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return stream, err
	}
	lent, lentErr := jetstream.NewWithAPIPrefix(c.nc, "$JS."+c.names.prefix+".API", jetstream.WithDefaultTimeout(requestTimeout))
	if lentErr != nil {
		return nil, lentErr
	}
	stream, lentErr = guarded(ctx, c, c.names.results, func(ctx context.Context) (jetstream.Stream, error) { return lent.Stream(ctx, c.names.results) })
	if errors.Is(lentErr, jetstream.ErrJetStreamNotEnabled) {
		return nil, fmt.Errorf("%w, and nothing is imported under $JS.%s.API", err, c.names.prefix)
	}
	if lentErr != nil {
		return nil, lentErr
	}
	c.lent.Store(&lent)
	return stream, nil
}

// following is the API by which streams are followed.
func (c *Conn) following() jetstream.JetStream {
	if lent := c.lent.Load(); lent != nil {
		return *lent
	}
	return c.js
}

func (c *Conn) passResults(ctx context.Context, f *follower, out chan<- ResultMessage) {
	defer close(out)
	ctx, stop := f.bind(ctx, c)
	defer stop()
	for ctx.Err() == nil {
		msg, err := f.next(ctx, watchIdle)
		if err != nil {
			return
		}
		if msg == nil {
			continue
		}
		meta, err := msg.Metadata()
		if err != nil {
			c.log.Error("following results ended", "error", err)
			return
		}
		r := ResultMessage{
			Subject: msg.Subject(), Header: Header(msg.Headers()), Data: msg.Data(),
			Time: meta.Timestamp, Sequence: meta.Sequence.Stream,
		}
		select {
		case out <- r:
		case <-ctx.Done():
			return
		}
	}
}
