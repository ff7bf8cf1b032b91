package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/recent"
	"github.com/seed-7b870224/sluice/internal/secret"
)

// requestTimeout bounds every request whose context has no deadline.
const requestTimeout = 5 * time.Second

// AccountSubject names an account whose commands the stream takes.
type AccountSubject struct{ Vendor, Account string }

// Options says where NATS is, who we are there, and what the streams shall be.
type Options struct {
	// URL lists one or more servers, separated by commas. Ignored with Server.
	URL string
	// Server connects to the embedded server without a socket.
	Server *Server

	// CredentialsFile, NKeySeedFile, User with Password, and Token are the ways
	// to prove who we are; at most one is used.
	CredentialsFile, NKeySeedFile, User string
	Password, Token                     secret.Text
	// CA, Cert and Key are PEM files for TLS; any of them switches TLS on.
	CA, Cert, Key string

	// Name is shown in the server's connection list.
	Name string
	// Prefix is the first token of every subject and part of every stream name.
	Prefix string
	// Replicas is how many copies of each stream a cluster keeps.
	Replicas int
	// LedgerRetention and LeaseTTL are the ages at which the buckets forget.
	LedgerRetention, LeaseTTL time.Duration
	// Accounts are those whose commands the stream takes.
	Accounts []AccountSubject

	// Logger takes connection events; nil discards them.
	Logger *slog.Logger
	// OnState is told of every change of the connection.
	OnState func(connected bool)
}

// Conn is a connection to NATS that comes back by itself, and the door to
// everything stored there.
type Conn struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	opts  Options
	names names
	log   *slog.Logger
	inbox *inbox
	// requests asks and takes answers.
	requests *requests
	// groups are those of the streams that may take batches.
	groups   map[string]*group
	arrivals *arrivals
	ledger   *bucket
	leases   *bucket

	// life ends with Close and takes watches and followers with it.
	life context.Context
	end  context.CancelFunc

	lastErr atomic.Pointer[error]
	refused atomic.Pointer[ForbiddenError]
	lent    atomic.Pointer[jetstream.JetStream]
	mu      sync.Mutex
	guards  map[*guard]struct{}
}

// Connect returns an error for options that can never work. A server that does
// not answer is none: the connection is then made in the background, for ever.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	o = o.withDefaults()
	c := &Conn{opts: o, names: namesOf(o.Prefix), log: o.Logger, guards: map[*guard]struct{}{}}
	c.life, c.end = context.WithCancel(context.Background())
	opts, err := c.natsOptions()
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	c.inbox = newInbox(c)
	c.requests = newRequests()
	c.arrivals = newArrivals(c)
	c.groups = map[string]*group{}
	for _, stream := range []string{bucketStream(c.names.ledger), c.names.results} {
		c.groups[stream] = &group{conn: c, stream: stream, recent: recent.Keys{Limit: recentKeys}}
	}
	c.ledger = newBucket(c, c.names.ledger)
	c.leases = newBucket(c, c.names.leases)
	if c.nc, err = nats.Connect(o.URL, opts...); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(requestTimeout)); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if err := c.requests.listen(c.nc); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if err := c.inbox.open(c.nc); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = "sluice"
	}
	if o.Name == "" {
		o.Name = "sluice"
	}
	o.Replicas = max(o.Replicas, 1)
	if o.LedgerRetention == 0 {
		o.LedgerRetention = 7 * 24 * time.Hour
	}
	if o.LeaseTTL == 0 {
		o.LeaseTTL = 8 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Connected reports whether the server can be reached now.
func (c *Conn) Connected() bool { return c.nc.IsConnected() }

// WaitConnected returns when the connection stands, or with the reason why it
// does not when ctx ends first.
func (c *Conn) WaitConnected(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !c.Connected() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("connect to NATS at %s: %w", hosts(c.opts), errors.Join(explained(c.opts, c.lastError()), ctx.Err()))
		case <-tick.C:
		}
	}
	return nil
}

// lastError is why the latest attempt to connect failed.
func (c *Conn) lastError() error {
	if err := c.nc.LastError(); err != nil {
		return err
	}
	if p := c.lastErr.Load(); p != nil {
		return *p
	}
	return nil
}

// Drain gives back every message that was fetched from the broker but not yet
// handed out, waits until the server has taken that, and closes.
func (c *Conn) Drain(ctx context.Context) error {
	defer c.Close()
	if !c.Connected() {
		return nil
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if err := c.inbox.release(ctx); err != nil {
		return fmt.Errorf("drain the NATS connection: %w", err)
	}
	if err := c.nc.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("drain the NATS connection: %w", err)
	}
	return nil
}

// Close ends the connection and all that runs on it at once.
func (c *Conn) Close() {
	c.end()
	c.nc.Close()
	c.requests.failAll(nats.ErrConnectionClosed)
}

// withTimeout gives a context without a deadline the usual one.
func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, requestTimeout)
}
