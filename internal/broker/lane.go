package broker

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
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

// metadataDelivered is the key under which a consumer that was made anew remembers
// up to which message of the stream its predecessors had delivered.
const metadataDelivered = "sluice-delivered"

// config is the consumer as it shall be. Deliveries are never limited: past the
// limit JetStream hides a message without a word.
func (q *LaneQueue) config(metadata map[string]string) jetstream.ConsumerConfig {
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
		Metadata:      metadata,
	}
}

// ensure creates the consumer or brings it up to date.
func (q *LaneQueue) ensure(ctx context.Context) error {
	q.ensuring.Lock()
	defer q.ensuring.Unlock()
	return q.create(ctx, nil)
}

// create is ensure for a caller that holds the lock of changes. A consumer that
// exists keeps what it remembers.
func (q *LaneQueue) create(ctx context.Context, metadata map[string]string) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	consumer, err := q.conn.js.CreateConsumer(ctx, q.conn.names.commands, q.config(metadata))
	switch {
	case errors.Is(err, jetstream.ErrConsumerExists):
		metadata, err = q.update(ctx)
	case err == nil && !remembers(consumer.CachedInfo()) && consumer.CachedInfo().NumPending > 0:
		metadata, err = q.doubt(ctx)
	}
	if errors.Is(err, jetstream.ErrMaximumConsumersLimit) {
		err = fmt.Errorf("%w; raise max_consumers of the stream and of the NATS account", err)
	}
	if err != nil {
		return fmt.Errorf("create consumer %s on %s: %w", q.durable, q.conn.names.commands, err)
	}
	q.mu.Lock()
	q.gone, q.before = false, rememberedIn(metadata)
	q.mu.Unlock()
	return nil
}

// doubt makes a consumer that finds messages stored remember that a predecessor may
// have delivered any of them: one may have been deleted and not made again. It returns
// what the consumer remembers.
func (q *LaneQueue) doubt(ctx context.Context) (map[string]string, error) {
	last, err := q.lastStored(ctx)
	if err != nil {
		return nil, err
	}
	_, err = q.conn.js.UpdateConsumer(ctx, q.conn.names.commands, q.config(remember(last)))
	return remember(last), err
}

// lastStored is the sequence of the newest message of the stream.
func (q *LaneQueue) lastStored(ctx context.Context) (uint64, error) {
	stream, err := q.conn.js.Stream(ctx, q.conn.names.commands)
	if err != nil {
		return 0, err
	}
	return stream.CachedInfo().State.LastSeq, nil
}

// remember is what makes a consumer remember a sequence.
func remember(last uint64) map[string]string {
	return map[string]string{metadataDelivered: strconv.FormatUint(last, 10)}
}

// update brings an existing consumer up to date. It returns what the consumer remembers.
func (q *LaneQueue) update(ctx context.Context) (map[string]string, error) {
	consumer, err := q.conn.js.Consumer(ctx, q.conn.names.commands, q.durable)
	if err != nil {
		return nil, err
	}
	have := consumer.CachedInfo().Config
	want := q.config(have.Metadata)
	if have.FilterSubject == want.FilterSubject && have.AckWait == want.AckWait && have.MaxAckPending == want.MaxAckPending {
		return have.Metadata, nil
	}
	_, err = q.conn.js.UpdateConsumer(ctx, q.conn.names.commands, want)
	return have.Metadata, err
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
	delivered, err := q.delivered(ctx)
	if err != nil {
		return fmt.Errorf("reset lane: %w", err)
	}
	err = q.conn.js.DeleteConsumer(ctx, q.conn.names.commands, q.durable)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("reset lane: delete consumer %s: %w", q.durable, err)
	}
	if err := q.create(ctx, delivered); err != nil {
		return fmt.Errorf("reset lane: %w", err)
	}
	return nil
}

// delivered is what the next consumer of the name has to remember of this one.
func (q *LaneQueue) delivered(ctx context.Context) (map[string]string, error) {
	consumer, err := q.conn.js.Consumer(ctx, q.conn.names.commands, q.durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at consumer %s: %w", q.durable, err)
	}
	info := consumer.CachedInfo()
	if remembers(info) {
		return remember(max(info.Delivered.Stream, remembered(info))), nil
	}
	last, err := q.lastStored(ctx)
	if err != nil {
		return nil, err
	}
	return remember(last), nil
}

// remembers reports whether the consumer knows how far it and its predecessors of
// the name have delivered.
func remembers(info *jetstream.ConsumerInfo) bool {
	_, ok := info.Config.Metadata[metadataDelivered]
	return ok || info.Delivered.Consumer > 0
}

// remembered is up to where the predecessors of a consumer had delivered; 0 if it
// has none that it knows of.
func remembered(info *jetstream.ConsumerInfo) uint64 { return rememberedIn(info.Config.Metadata) }

func rememberedIn(metadata map[string]string) uint64 {
	last, _ := strconv.ParseUint(metadata[metadataDelivered], 10, 64)
	return last
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

// Unacked counts the oldest messages that may be in somebody's hands. The server
// counts what this consumer has delivered. What its predecessors of the same name
// had delivered before they were deleted is among the oldest stored ones: all that
// may be out at a time count, until this consumer has delivered as far as they had.
func (q *LaneQueue) Unacked(ctx context.Context) (int, error) {
	info, err := q.info(ctx)
	if err != nil {
		return 0, err
	}
	if remembers(info) && info.Delivered.Stream >= remembered(info) {
		return info.NumAckPending, nil
	}
	stored := info.NumPending + uint64(info.NumAckPending)
	return int(min(stored, uint64(info.Config.MaxAckPending))), nil
}

// Now counts the stored messages that wait, and those that are out: delivered by
// this consumer, to whomever, and not settled.
func (q *LaneQueue) Now(ctx context.Context) (waiting, out int, err error) {
	info, err := q.info(ctx)
	if err != nil {
		return 0, 0, err
	}
	return int(info.NumPending), info.NumAckPending, nil
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
