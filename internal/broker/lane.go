package broker

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// maxDurable is the longest consumer name we make; the server's own limit is
	// that of a file name.
	maxDurable = 120
	// intakeAckWait and intakeMaxPending are the intake's: its work, validating
	// and forwarding, is short.
	intakeAckWait    = 30 * time.Second
	intakeMaxPending = 1000
)

// LaneSpec describes the consumer of one lane.
type LaneSpec struct {
	// Name tells lanes apart; dots separate its parts. Empty: the subject.
	Name string
	// Subject is what the lane takes from the commands stream.
	Subject string
	// AckWait is how long a message may go without acknowledgement or
	// heartbeat before it is delivered again.
	AckWait time.Duration
	// MaxPending bounds the messages that are delivered and not settled.
	MaxPending int
}

// Lane returns the queue of a lane and creates its durable consumer, or brings an
// existing one up to date. The same name gives the same queue again.
func (c *Conn) Lane(ctx context.Context, spec LaneSpec) (*LaneQueue, error) {
	name := spec.Name
	if name == "" {
		name = strings.TrimPrefix(spec.Subject, c.names.prefix+".commands.")
	}
	q := c.inbox.add(&LaneQueue{conn: c, durable: durableName(name), spec: spec, wake: make(chan struct{}, 1)})
	c.inbox.follow()
	if err := q.adopt(spec); err != nil {
		return nil, fmt.Errorf("lane %s: %w", name, err)
	}
	if err := q.ensure(ctx); err != nil {
		return nil, fmt.Errorf("lane %s: %w", name, err)
	}
	return q, nil
}

// IntakeQueue returns the queue of the intake subject, which all replicas share.
func (c *Conn) IntakeQueue(ctx context.Context) (*LaneQueue, error) {
	return c.Lane(ctx, LaneSpec{Name: "intake", Subject: c.names.intake(), AckWait: intakeAckWait, MaxPending: intakeMaxPending})
}

// durableName makes a consumer name of a lane's: dots become underscores. A name
// that is too long or loses characters gets a hash of the whole.
func durableName(lane string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, lane)
	name := strings.ReplaceAll(clean, ".", "_")
	if clean == lane && len(name) <= maxDurable {
		return name
	}
	sum := sha256.Sum256([]byte(lane))
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:16]
	return name[:min(len(name), maxDurable-len(hash)-1)] + "_" + hash
}

// adopt takes a new description in; another subject under the same consumer name
// would silently end the first lane.
func (q *LaneQueue) adopt(spec LaneSpec) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.spec.Subject != spec.Subject {
		return fmt.Errorf("its consumer %s already serves %s; give the lane another name", q.durable, q.spec.Subject)
	}
	q.spec, q.released = spec, false
	return nil
}

// config is the consumer as it shall be. Deliveries are never limited: past the
// limit JetStream hides a message without a word.
func (q *LaneQueue) config() jetstream.ConsumerConfig {
	q.mu.Lock()
	defer q.mu.Unlock()
	return jetstream.ConsumerConfig{
		Durable:       q.durable,
		FilterSubject: q.spec.Subject,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       q.spec.AckWait,
		MaxAckPending: q.spec.MaxPending,
		MaxDeliver:    -1,
	}
}

// ensure creates the consumer or brings it up to date.
func (q *LaneQueue) ensure(ctx context.Context) error {
	q.ensuring.Lock()
	defer q.ensuring.Unlock()
	return q.create(ctx)
}

// create is ensure for a caller that holds the lock of changes.
func (q *LaneQueue) create(ctx context.Context) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	_, err := q.conn.js.CreateOrUpdateConsumer(ctx, q.conn.names.commands, q.config())
	if errors.Is(err, jetstream.ErrMaximumConsumersLimit) {
		err = fmt.Errorf("%w; raise max_consumers of the stream and of the NATS account", err)
	}
	if err != nil {
		return fmt.Errorf("create consumer %s on %s: %w", q.durable, q.conn.names.commands, err)
	}
	q.mu.Lock()
	q.gone = false
	q.mu.Unlock()
	return nil
}

// Reset deletes the consumer and makes it again: everything unacknowledged is
// delivered anew at once, in stream order, and requests that an earlier owner
// left open are void. Messages handed out before count for nothing.
func (q *LaneQueue) Reset(ctx context.Context) error {
	q.ensuring.Lock()
	defer q.ensuring.Unlock()
	q.discard(true)
	defer q.discard(false)
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	err := q.conn.js.DeleteConsumer(ctx, q.conn.names.commands, q.durable)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("reset lane: delete consumer %s: %w", q.durable, err)
	}
	if err := q.create(ctx); err != nil {
		return fmt.Errorf("reset lane: %w", err)
	}
	return nil
}

// discard empties the queue and, while it is on, keeps it empty. The consumer
// counts as gone until it has been made again.
func (q *LaneQueue) discard(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.buffer, q.resetting = nil, on
	q.request++
	q.owed, q.retryAt = 0, time.Time{}
	q.gone = q.gone || on
	q.signal()
}

// Unacked counts the messages that may have been in somebody's hands: the oldest
// that are stored, as many as may be out at a time. The consumer's own count would
// be fewer, but it knows only of deliveries since it was made, and an owner may
// have died after it made the consumer anew and before it had all back.
func (q *LaneQueue) Unacked(ctx context.Context) (int, error) {
	info, err := q.info(ctx)
	if err != nil {
		return 0, err
	}
	stored := info.NumPending + uint64(info.NumAckPending)
	return int(min(stored, uint64(info.Config.MaxAckPending))), nil
}

// Undelivered counts the stored messages that nobody has in hand now.
func (q *LaneQueue) Undelivered(ctx context.Context) (int, error) {
	info, err := q.info(ctx)
	if err != nil {
		return 0, err
	}
	return int(info.NumPending), nil
}

// info asks for the state of the consumer, and makes it again if it is gone.
func (q *LaneQueue) info(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	for try := 0; ; try++ {
		consumer, err := q.conn.js.Consumer(ctx, q.conn.names.commands, q.durable)
		if err == nil {
			return consumer.CachedInfo(), nil
		}
		if try > 0 || !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil, fmt.Errorf("look at consumer %s: %w", q.durable, err)
		}
		if err := q.ensure(ctx); err != nil {
			return nil, err
		}
	}
}
