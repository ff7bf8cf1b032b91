package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// breaker guards one endpoint: one account in one region. While it is open,
// nothing is sent there; then a read-only probe, never somebody's command,
// decides whether it closes.
type breaker struct {
	cb     *gobreaker.CircuitBreaker[struct{}]
	log    *slog.Logger
	forced atomic.Bool
	// opened wakes the prober; written by state changes, read by watch.
	opened chan struct{}

	mu      sync.Mutex
	waiting chan struct{} // closed when the breaker closes; nil while it is closed
	onState func(gobreaker.State)
	refused bool // it is open because the vendor refuses our credentials
	// onRefused, if not nil, is told of each change of refused.
	onRefused func(bool)
	// probes counts successful probes, so that a command can tell whether the
	// endpoint was shown healthy since it last looked.
	probes atomic.Uint64
}

// errUnhealthy and errNeutral are what an answer says of the endpoint.
var (
	errUnhealthy = errors.New("endpoint unhealthy")
	errNeutral   = errors.New("says nothing about the endpoint")
)

func newBreaker(name string, o Breaker, log *slog.Logger, onState func(gobreaker.State)) *breaker {
	b := &breaker{log: log, opened: make(chan struct{}, 1), onState: onState}
	b.cb = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         name,
		MaxRequests:  1,
		Interval:     o.Window,
		BucketPeriod: max(o.Window/10, time.Millisecond),
		Timeout:      o.Open,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			// The second condition keeps a busy endpoint with a few errors
			// among many good answers in use.
			return b.forced.Load() || (int(c.TotalFailures) >= o.Failures && c.TotalFailures*2 >= c.Requests)
		},
		IsExcluded:    func(err error) bool { return errors.Is(err, errNeutral) },
		OnStateChange: func(_ string, _, to gobreaker.State) { b.changed(to) },
	})
	onState(gobreaker.StateClosed)
	return b
}

// health turns an answer into what it says of the endpoint.
func health(k vendors.Kind) error {
	switch k {
	case vendors.Done, vendors.Accepted:
		return nil
	case vendors.Transient, vendors.Ambiguous, vendors.Unauthorized:
		return errUnhealthy
	}
	return errNeutral
}

// record counts the answer of an ordinary call. Answers that come in while the
// breaker is not closed are of calls sent before and decide nothing.
func (b *breaker) record(k vendors.Kind) {
	if b.cb.State() != gobreaker.StateClosed {
		return
	}
	_, _ = b.cb.Execute(func() (struct{}, error) { return struct{}{}, health(k) })
}

// trip opens the breaker at once.
func (b *breaker) trip() {
	b.forced.Store(true)
	b.record(vendors.Unauthorized)
	b.forced.Store(false)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting != nil {
		b.refuses(true)
	}
}

// refuses notes whether the breaker is open because of our credentials. The caller
// holds the lock.
func (b *breaker) refuses(refused bool) {
	if b.refused != refused && b.onRefused != nil {
		b.onRefused(refused)
	}
	b.refused = refused
}

// changed is called by gobreaker under its own lock.
func (b *breaker) changed(to gobreaker.State) {
	b.log.Warn("breaker changed", "state", to.String())
	b.mu.Lock()
	if to == gobreaker.StateClosed {
		b.refuses(false)
		if b.waiting != nil {
			close(b.waiting)
			b.waiting = nil
		}
	} else if b.waiting == nil {
		b.waiting = make(chan struct{})
	}
	b.mu.Unlock()
	b.onState(to)
	if to == gobreaker.StateOpen {
		select {
		case b.opened <- struct{}{}:
		default:
		}
	}
}

// isOpen reports that calls have to wait.
func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting != nil
}

// wait returns when the breaker is closed, or with the context's cause.
func (b *breaker) wait(ctx context.Context) error {
	b.mu.Lock()
	waiting := b.waiting
	b.mu.Unlock()
	if waiting == nil {
		return nil
	}
	select {
	case <-waiting:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watch probes the endpoint while the breaker is open, until ctx ends.
func (b *breaker) watch(ctx context.Context, open time.Duration, probe func(context.Context) vendors.Verdict) {
	for {
		select {
		case <-b.opened:
		case <-ctx.Done():
			return
		}
		for b.isOpen() && sleep(ctx, open+time.Millisecond) == nil {
			b.probe(ctx, probe)
		}
	}
}

// probe makes the half-open call. Any answer of a working endpoint that takes our
// key closes the breaker; being throttled or interrupted says nothing.
func (b *breaker) probe(ctx context.Context, probe func(context.Context) vendors.Verdict) {
	_, err := b.cb.Execute(func() (struct{}, error) {
		v := probe(ctx)
		switch {
		case ctx.Err() != nil, v.Kind == vendors.Throttled:
			return struct{}{}, errNeutral
		case v.Kind == vendors.Refused, v.Kind == vendors.Busy:
			return struct{}{}, nil
		}
		return struct{}{}, health(v.Kind)
	})
	if err == nil {
		b.probes.Add(1)
	}
}

// sleep waits, or returns the context's cause.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
