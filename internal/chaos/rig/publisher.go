package rig

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// Sent is a command that was published.
type Sent struct {
	Command events.Command
	// Acknowledged: JetStream has confirmed that it is stored. One that is not
	// may be stored all the same.
	Acknowledged bool
	At           time.Time
}

// Publisher publishes commands and remembers them.
type Publisher struct {
	// URL and Prefix are where it publishes.
	URL, Prefix string

	tb       testing.TB
	conn     *broker.Conn
	subjects events.Subjects

	mu   sync.Mutex
	sent []Sent
	errs []error
}

// NewPublisher connects, until the test ends, to the broker at the URL, which may
// list several servers.
func NewPublisher(tb testing.TB, url, prefix string) *Publisher {
	tb.Helper()
	conn, err := broker.Connect(tb.Context(), broker.Options{URL: url, Prefix: prefix, Name: "chaos publisher"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	return &Publisher{URL: url, Prefix: prefix, tb: tb, conn: conn, subjects: events.Subjects{Prefix: prefix}}
}

// Send publishes a command; an error means that it was not acknowledged.
func (p *Publisher) Send(ctx context.Context, d events.Draft) error {
	now := time.Now()
	cmd, raw, err := d.Event(now)
	if err != nil {
		return fmt.Errorf("chaos publisher: %w", err)
	}
	lane := events.Lane{Vendor: cmd.Vendor, Account: cmd.Account, Region: cmd.Region, Operation: cmd.Operation, Priority: cmd.Priority}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err = p.conn.Publish(ctx, broker.Outgoing{
		Subject: p.subjects.Lane(lane), ID: "chaos-" + cmd.Event.ID, Data: raw,
		Header: broker.Header{"Content-Type": {"application/cloudevents+json"}},
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, Sent{cmd, err == nil, now})
	if err != nil {
		p.errs = append(p.errs, err)
	}
	return err
}

// MustSend publishes a command that has to be acknowledged.
func (p *Publisher) MustSend(d events.Draft) {
	p.tb.Helper()
	if err := p.Send(p.tb.Context(), d); err != nil {
		p.tb.Fatal(err)
	}
}

// Sent lists what was published so far, acknowledged or not.
func (p *Publisher) Sent() []Sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// Errors lists why publishes were not acknowledged.
func (p *Publisher) Errors() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.errs)
}

// Load publishes perSecond commands a second until stop is called, which waits
// for the last; make makes the n-th, counted from 0. What is not acknowledged is
// remembered as such.
func (p *Publisher) Load(perSecond int, make func(n int) events.Draft) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			all.Go(func() { _ = p.Send(context.WithoutCancel(ctx), make(n)) })
		}
	})
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); all.Wait() }) }
	p.tb.Cleanup(stop)
	return stop
}
