// Package broker is everything that knows NATS: the connection, the embedded
// server, streams, consumers and key-value buckets. Other packages see only the
// types of this file, so that the engine also runs on a simulated broker.
package broker

import (
	"context"
	"errors"
	"time"
)

// Errors that callers tell apart. Any other error of a write means that its
// outcome is unknown: it may have been stored.
var (
	// ErrNotFound: the key or message does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a compare-and-set found another revision, or a create an
	// existing key. Nothing was written.
	ErrConflict = errors.New("written by somebody else")
	// ErrFull: the stream reached its limit (or the disk is full). Nothing was
	// written.
	ErrFull = errors.New("stream is full")
)

// HeldError is the error of a write, such as ErrConflict, with what was found in its way.
type HeldError struct {
	Held  Entry
	Cause error
}

// Error is that of the cause.
func (e *HeldError) Error() string { return e.Cause.Error() }

// Unwrap is the cause.
func (e *HeldError) Unwrap() error { return e.Cause }

// Header is a message's headers; names are matched in any case on reading.
type Header = map[string][]string

// Message is one delivery of a stored message. Exactly one of Ack, Nak and Term
// ends it; InProgress may be called any number of times before.
type Message interface {
	Subject() string
	Header() Header
	Data() []byte
	// Received is when the broker stored the message, by the broker's clock.
	Received() time.Time
	// Sequence is the message's place in its stream.
	Sequence() uint64
	// Deliveries counts from 1; it begins anew when the consumer is made again.
	Deliveries() int
	// First reports that this is the first delivery for sure, also of consumers that
	// were there before.
	First() bool
	// Ack ends the message for good and returns when the broker has confirmed.
	Ack(ctx context.Context) error
	// Nak gives it back, to be delivered again after the delay.
	Nak(delay time.Duration) error
	// InProgress restarts the broker's redelivery clock.
	InProgress() error
}

// Queue is a durable pull consumer: a lane, or the intake.
type Queue interface {
	// Fetch asks for at most n messages and waits for the first until ctx ends
	// or wait has passed; it returns what came. An empty answer is no error.
	Fetch(ctx context.Context, n int, wait time.Duration) ([]Message, error)
}

// Outgoing is a message to be stored.
type Outgoing struct {
	Subject string
	// ID makes the publish idempotent inside the stream's duplicate window.
	ID     string
	Header Header
	Data   []byte
}

// Publisher stores messages in whichever stream takes their subject.
type Publisher interface {
	// Publish returns when the message is stored, or was stored before under
	// the same ID.
	Publish(ctx context.Context, m Outgoing) error
}

// Entry is one value of a bucket.
type Entry struct {
	Key      string
	Value    []byte
	Revision uint64
	Created  time.Time
	// Deleted marks a removal, in watches only.
	Deleted bool
}

// KV is a bucket with compare-and-set.
type KV interface {
	// Get returns ErrNotFound for an absent or deleted key.
	Get(ctx context.Context, key string) (Entry, error)
	// Create writes a key that does not exist (or was deleted), else
	// ErrConflict, which is a HeldError if the value in the way was read.
	Create(ctx context.Context, key string, value []byte) (revision uint64, err error)
	// Update replaces the value of exactly that revision, else ErrConflict.
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Delete removes exactly that revision, else ErrConflict.
	Delete(ctx context.Context, key string, revision uint64) error
	// Watch delivers the present values of the keys that match, then an entry
	// with an empty key, then every change until ctx ends; then the channel is
	// closed. A key that vanished by its time to live is not reported.
	Watch(ctx context.Context, pattern string) (<-chan Entry, error)
}
