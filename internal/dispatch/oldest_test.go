package dispatch

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// gauge reads a gauge of one series; ok reports whether it is shown.
func gauge(t *testing.T, reg *prometheus.Registry, name string, labels ...string) (value float64, ok bool) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetValue())
			}
			if text := "," + strings.Join(have, ",") + ","; containsAll(text, labels) {
				return m.GetGauge().GetValue(), true
			}
		}
	}
	return 0, false
}

func containsAll(text string, labels []string) bool {
	for _, l := range labels {
		if !strings.Contains(text, ","+l+",") {
			return false
		}
	}
	return true
}

// startMeasured is start with metrics.
func (s *sim) startMeasured(replica string) (reg *prometheus.Registry, stop func()) {
	reg = prometheus.NewRegistry()
	s.metrics = NewMetrics(reg)
	stop = s.start(replica)
	s.metrics = nil
	return reg, stop
}

// The age is that of the oldest command, whether it is held or waits at the broker
// because the breaker is open, and there is none where another replica is the owner.
func TestAgeOfTheOldest(t *testing.T) {
	simulate(t, func(s *sim) {
		refused := vendors.Verdict{Kind: vendors.Unauthorized, Reason: events.ReasonUnauthorized, Message: "no"}
		var taken atomic.Bool // the key
		answer := func() vendors.Verdict {
			if taken.Load() {
				return vendors.Verdict{Kind: vendors.Done}
			}
			return refused
		}
		s.vendor.probe = answer
		s.vendor.execute = func(vendors.Request) vendors.Verdict { return answer() }
		reg, stop := s.startMeasured("a")
		s.wait(10 * time.Second)
		s.broker.store(strings.Replace(restartLane, "normal", "bulk", 1), s.command("first"))
		s.wait(100 * time.Second)
		oldest := func(priority string) float64 {
			v, ok := gauge(t, reg, "sluice_lane_oldest_seconds", "restart", priority)
			if !ok {
				return -1
			}
			return v
		}
		if v := oldest("bulk"); v < 95 || v > 101 {
			t.Errorf("held for 100 s: age %v", v)
		}
		if v, _ := gauge(t, reg, "sluice_account_unauthorized", "r1"); v != 1 {
			t.Errorf("unauthorized: %v", v)
		}
		// This one is pulled by nobody while the breaker is open.
		asked := func() int {
			s.broker.mu.Lock()
			defer s.broker.mu.Unlock()
			return s.broker.firsts[restartLane]
		}
		before := asked()
		s.send("second")
		s.wait(200 * time.Second)
		if v := oldest("normal"); v < 195 || v > 201 {
			t.Errorf("stored for 200 s: age %v", v)
		}
		if n := asked() - before; n < 1 || n > 21 {
			t.Errorf("the broker was asked %d times in 200 s", n)
		}
		if v := oldest("urgent"); v != -1 {
			t.Errorf("a lane that never had anything: age %v", v)
		}
		taken.Store(true)
		s.wait(time.Minute)
		for _, priority := range []string{"normal", "bulk"} {
			if v := oldest(priority); v != 0 {
				t.Errorf("all is settled, and the age in %s is %v", priority, v)
			}
		}
		if v, _ := gauge(t, reg, "sluice_account_unauthorized", "r1"); v != 0 {
			t.Errorf("unauthorized after the key was taken: %v", v)
		}
		stop()
		for _, name := range []string{"sluice_lane_oldest_seconds", "sluice_account_unauthorized", "sluice_breaker_state", "sluice_quota_limit"} {
			if v, ok := gauge(t, reg, name, "simcloud"); ok {
				t.Errorf("%s is still shown by a replica that owns nothing: %v", name, v)
			}
		}
	})
}
