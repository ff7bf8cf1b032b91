package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/intake"
	"github.com/seed-7b870224/sluice/internal/telemetry"
)

const (
	// drainGrace is how long calls in flight may take to be answered and
	// recorded after a stop; the process exits within 15 s.
	drainGrace = 11 * time.Second
	// setupRetry is the pause between tries to prepare the streams.
	setupRetry = 500 * time.Millisecond
	// flushLimit is how long a collector may take for the last traces, and exitBy when
	// it gets no more time, counted from the stop.
	flushLimit = 2 * time.Second
	exitBy     = 14 * time.Second
)

// consumer is the daemon as a value that tests can start.
type consumer struct {
	conf     *config.Config
	log      *slog.Logger
	registry *prometheus.Registry
	size     *ledgerSize
	tracing  *telemetry.Tracing // nil if no traces are sent

	server   *broker.Server // embedded; nil with an external one
	conn     *broker.Conn
	link     atomic.Pointer[broker.Conn] // conn, for those who may ask before it is there
	engine   *dispatch.Engine
	http     *telemetry.Server
	intake   *intake.Server // nil without an intake over HTTP
	signer   *intake.Signer
	stopping atomic.Bool
	stopped  atomic.Int64 // when it was told to stop, in nanoseconds since 1970
	prepared atomic.Bool  // streams and buckets are there
}

// newConsumer starts what can fail: the embedded server, the HTTP listener, the
// adapters. Close undoes it.
func newConsumer(ctx context.Context, conf *config.Config, log *slog.Logger) (c *consumer, err error) {
	c = &consumer{conf: conf, log: log, registry: telemetry.NewRegistry(buildVersion())}
	c.size = newLedgerSize(c.registry)
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	accts, err := accounts(conf)
	if err != nil {
		return c, usageError{err}
	}
	secrets, err := conf.Secrets.Open()
	if err != nil {
		return c, usageError{err}
	}
	replica := replicaName()
	if c.tracing, err = telemetry.StartTracing(ctx, buildVersion(), replica, os.Getenv, log); err != nil {
		return c, usageError{err}
	}
	if c.http, err = telemetry.Listen(conf.HTTP.Listen, c.registry, c.ready); err != nil {
		return c, err
	}
	options := natsOptions(conf, log)
	if conf.NATS.UsesEmbedded() {
		if c.server, err = startEmbedded(conf, log); err != nil {
			return c, err
		}
		options.Server = c.server
	}
	if c.conn, err = broker.Connect(ctx, options); err != nil {
		return c, err
	}
	c.link.Store(c.conn)
	engine, err := withFaults(dispatch.Options{
		Replica:  replica,
		Subjects: events.Subjects{Prefix: conf.NATS.Prefix},
		Broker:   engineBroker{c.conn}, Ledger: c.conn.Ledger(), Leases: c.conn.Leases(), LeaseTTL: conf.Lease.TTL,
		Accounts: accts, Secrets: secrets, AllowPlaintext: conf.Secrets.AllowPlaintext,
		Proven:  intake.NewVerifier(c.conn.Ledger()).Verify,
		Metrics: dispatch.NewMetrics(c.registry), Tracer: c.tracer(), Logger: log,
	})
	if err != nil {
		return c, err
	}
	c.engine = dispatch.New(engine)
	if conf.IntakeConfigured() {
		return c, c.startIntake(accts, secrets)
	}
	return c, nil
}

// tracer is what the engine makes spans with; nil if no traces are sent.
func (c *consumer) tracer() dispatch.Tracer {
	if c.tracing == nil {
		return nil
	}
	return c.tracing.Tracer()
}

// replicaName is unique to this process and says where it runs.
func replicaName() string {
	host := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, hostname())
	return host + "-" + nuid.Next()[14:]
}

// serve runs until ctx ends and has drained by the time it returns.
func (c *consumer) serve(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	context.AfterFunc(ctx, func() {
		c.stopped.Store(time.Now().UnixNano())
		c.stopping.Store(true)
		c.log.Info("stopping: no more pulls, calls in flight are finished")
	})
	var ending sync.WaitGroup
	if c.signer != nil {
		ending.Go(func() { c.signer.Run(ctx) })
		ending.Go(func() { <-ctx.Done(); c.intakeDrained(ctx) })
	}
	go c.size.watch(ctx, c.conn.LedgerSize, c.log)
	c.engine.Run(ctx, drainGrace)
	ending.Wait()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := c.conn.Drain(drain); err != nil {
		c.log.Debug("connection not drained", "error", err)
	}
	c.tracing.Stop(max(0, min(flushLimit, exitBy-time.Since(time.Unix(0, c.stopped.Load())))), c.log)
	c.log.Info("stopped")
	return nil
}

// prepare makes streams and buckets, waiting for the broker as long as it takes,
// and says what is weaker there than promised.
func (c *consumer) prepare(ctx context.Context) error {
	for try := 0; ; try++ {
		findings, err := c.conn.Setup(ctx)
		if err == nil {
			return c.report(findings)
		}
		if try%20 == 0 {
			c.log.Warn("the broker is not ready; waiting for it", "error", err)
		}
		select {
		case <-time.After(setupRetry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// report logs what was found of the broker and refuses what breaks a promise.
func (c *consumer) report(findings []broker.Finding) error {
	var refusals []error
	for _, f := range findings {
		if f.Severity == broker.Refuse {
			refusals = append(refusals, errors.New(f.String()))
			continue
		}
		c.log.Warn("the broker keeps less than promised", "what", f.What, "wayOut", f.WayOut)
	}
	if len(refusals) > 0 {
		return fmt.Errorf("the broker cannot keep Sluice's promises: %w", errors.Join(refusals...))
	}
	c.prepared.Store(true)
	c.log.Info("ready", append([]any{"accounts", len(c.conf.Accounts), "http", c.http.Addr(), "nats", c.natsURL()}, limits()...)...)
	return nil
}

// natsURL is where clients reach the broker.
func (c *consumer) natsURL() string {
	if c.server != nil {
		return c.server.URL()
	}
	return c.conf.NATS.URL
}

// ready is what /readyz asks.
func (c *consumer) ready(ctx context.Context) error {
	// The listener is up before the connection is made: nothing else of c may be
	// read until then.
	conn := c.link.Load()
	switch {
	case c.stopping.Load():
		return errors.New("draining")
	case conn == nil:
		return errors.New("starting")
	}
	if err := conn.Trouble(); err != nil {
		return err
	}
	if !c.prepared.Load() {
		return errors.New("starting: the streams are not prepared")
	}
	return conn.Present(ctx)
}

// close releases everything, in the reverse order of newConsumer.
func (c *consumer) close() {
	if c.intake != nil {
		c.intake.Close()
	}
	c.tracing.Stop(flushLimit, c.log) // it has been, unless the start failed
	if c.conn != nil {
		c.conn.Close()
	}
	if c.server != nil {
		c.server.Shutdown()
	}
	if c.http != nil {
		c.http.Close()
	}
}
