// Package dispatch is the engine: it owns accounts by lease, pulls their lanes,
// and carries each command through claim, pace, call, track and settle.
//
// It names no vendor and knows no NATS: clouds are reached through
// vendors.Vendor, the broker through the interfaces of this file, and time
// through package time alone, so that the whole engine also runs on simulated
// ones under virtual time.
//
// Where to read: engine.go, leases.go and renewal.go (who serves an account),
// lane.go and takeover.go (how commands come in), check.go, receive.go and carry.go
// (whether they may run, and who drives them), run.go,
// attempt.go, reconcile.go, follow.go and settle.go (one command's life),
// decide.go (every decision about an answer), pacer.go and breaker.go (when a
// call may leave).
package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Broker is what the engine needs of the message broker.
type Broker interface {
	broker.Publisher
	// Lane returns the queue of a lane's subject. Messages not settled or kept
	// in progress within ackWait are delivered again; at most maxPending are
	// out at a time.
	Lane(ctx context.Context, subject string, ackWait time.Duration, maxPending int) (Lane, error)
	// Intake returns the queue of the intake subject, shared by all replicas.
	Intake(ctx context.Context) (Lane, error)
	// Waiting counts the stored commands of each subject, those in work
	// included.
	Waiting(ctx context.Context) (map[string]uint64, error)
	// WaitingOf is Waiting for the subjects of one account.
	WaitingOf(ctx context.Context, vendor, account string) (map[string]uint64, error)
	// Arrivals tells, as well as it can, of each command that is published on a
	// subject from now on. arrived must not block. stop may be called again.
	Arrivals(subject string, arrived func()) (stop func(), err error)
	// First returns the oldest stored command of a subject without a consumer,
	// or broker.ErrNotFound. Its Ack deletes it.
	First(ctx context.Context, subject string) (broker.Message, error)
}

// Lane is a queue whose deliveries can be called back.
type Lane interface {
	broker.Queue
	// Unacked counts the oldest messages that may have been in somebody's hands,
	// at any time and whatever has become of the consumer since.
	Unacked(ctx context.Context) (int, error)
	// Now counts the stored messages that are in nobody's hands, and those that
	// are out: delivered since the last reset, to whomever, and not settled.
	Now(ctx context.Context) (waiting, out int, err error)
	// Reset makes everything unsettled be delivered again, oldest first.
	Reset(ctx context.Context) error
	// Release gives back what was fetched but not handed out.
	Release()
}

// Secrets opens the passwords of commands.
type Secrets interface {
	// ByRef reads a secret of the secrets directory.
	ByRef(name string) (secret.Text, error)
	// Unseal opens a sealed secret.
	Unseal(sealed string) (secret.Text, error)
}

// Hooks are what the engine puts into an adapter's vendors.Account.
type Hooks struct {
	Permit  func(ctx context.Context, action string) error
	Observe func(action string, verdict vendors.Verdict, took time.Duration)
}

// Account is one configured account.
type Account struct {
	Name    string
	Facts   vendors.Facts
	Regions []string
	// Allow holds the operations that are switched on.
	Allow map[string]bool
	// Quota gives the limit of an action in calls per second; zero means none.
	Quota       func(action string) float64
	MaxInFlight int
	Expiry      map[string]time.Duration
	Retry       Retry
	Breaker     Breaker
	Track       Track
	// Timeout bounds one vendor call.
	Timeout time.Duration
	// Connect makes the adapter for one region.
	Connect func(region string, hooks Hooks) (vendors.Vendor, error)
}

// Retry bounds the attempts of one command.
type Retry struct {
	Attempts               int
	MinBackoff, MaxBackoff time.Duration
}

// Breaker says when an endpoint counts as broken and for how long.
type Breaker struct {
	Failures     int
	Window, Open time.Duration
}

// Track says how accepted work is followed.
type Track struct{ Interval, Timeout time.Duration }

// Options is everything an Engine is made from.
type Options struct {
	// Replica is unique to this process, restarts included.
	Replica  string
	Subjects events.Subjects
	Broker   Broker
	Ledger   broker.KV
	Leases   broker.KV
	LeaseTTL time.Duration
	Accounts []Account
	Secrets  Secrets
	// AllowPlaintext accepts passwords as plain strings in commands.
	AllowPlaintext bool
	// Proven reports that an event was stored by the intake over HTTP, whose word for
	// the publisher's name is taken. Nil means that none was.
	Proven func(env events.Envelope, header broker.Header, data []byte) bool
	// Timing bounds the search for lost answers; zero fields take the defaults.
	Timing Timing
	// Rand gives numbers in [0, 1) for every jitter; nil means math/rand/v2.
	Rand func() float64
	// Metrics may be shared by no other engine. Nil counts into nowhere.
	Metrics *Metrics
	// Tracer makes spans of what happens; nil makes none.
	Tracer Tracer
	Logger *slog.Logger
}

const (
	// ackWait is how long a message may go without a heartbeat.
	ackWait = 30 * time.Second
	// heartbeat keeps waiting and followed messages from being delivered again.
	heartbeat = ackWait / 3
	// quotaMargin is the part of a quota that is used: with even spacing it
	// leaves 20 ms in every second for the network's unevenness, and 98 % full.
	quotaMargin = 0.98
)
