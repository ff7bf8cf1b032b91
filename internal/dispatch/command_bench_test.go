package dispatch

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// BenchmarkCommand measures what one command costs the engine, from its message to the
// acknowledgement, on a broker and a cloud that answer at once.
func BenchmarkCommand(b *testing.B) {
	s := &sim{broker: newSimBroker(), ledger: newSimKV(0), leases: newSimKV(8 * time.Second), vendor: &simVendor{}}
	e := New(Options{
		Replica: "bench", Subjects: events.Subjects{Prefix: "sluice"}, Broker: s.broker, Ledger: s.ledger, Leases: s.leases,
		LeaseTTL: 8 * time.Second, Accounts: []Account{benchAccount(s)},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx, time.Second)
	}()
	defer func() {
		cancel()
		<-done
	}()
	s.benchmark(b, "warm", 64)
	b.ReportAllocs()
	b.ResetTimer()
	s.benchmark(b, "timed", b.N)
}

// benchAccount is an account without quotas.
func benchAccount(s *sim) Account {
	return Account{
		Name: "prod", Regions: []string{"r1"},
		Facts: vendors.Facts{Name: "simcloud", SignatureLife: 5 * time.Minute, Actions: map[vendors.Operation]string{vendors.Restart: "Restart"}},
		Allow: map[string]bool{"restart": true}, Quota: func(string) float64 { return 0 }, MaxInFlight: 100, Timeout: 10 * time.Second,
		Expiry:  map[string]time.Duration{"normal": time.Hour},
		Retry:   Retry{Attempts: 4, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second},
		Breaker: Breaker{Failures: 5, Window: 30 * time.Second, Open: 15 * time.Second},
		Track:   Track{Interval: 5 * time.Second, Timeout: 2 * time.Hour},
		Connect: func(_ string, hooks Hooks) (vendors.Vendor, error) { return simPort{s.vendor, hooks}, nil },
	}
}

// benchmark has n commands carried out, so many at a time that the broker's lists stay
// short.
func (s *sim) benchmark(b *testing.B, name string, n int) {
	b.StartTimer()
	for from := 0; from < n; from += 64 {
		chunk := min(64, n-from)
		for i := range chunk {
			s.broker.store(restartLane, s.command(fmt.Sprintf("%s-%d", name, from+i)))
		}
		for !s.emptied(chunk) {
			time.Sleep(50 * time.Microsecond)
		}
	}
	b.StopTimer()
}

// emptied reports whether all stored commands are settled, and then forgets them.
func (s *sim) emptied(n int) bool {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	if len(s.broker.published) < n || slices.ContainsFunc(s.broker.stored, func(m *simStored) bool { return !m.acked }) {
		return false
	}
	s.broker.stored, s.broker.published = nil, nil
	return true
}
