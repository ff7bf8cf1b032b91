package chaos

import (
	"slices"
	"testing"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
)

// TestLine breaks the connection between one of two consumers and the broker for
// longer than the lease: the other takes its accounts over, and the broken one
// serves again afterwards.
func TestLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, fault string
		short       bool
		breaks      func(*rig.Proxy)
	}{
		{"cut", "a consumer's connection cut", true, (*rig.Proxy).Cut},
		{"stall", "a consumer's connection stalled", false, (*rig.Proxy).Stall},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !tt.short && !rig.Full() {
				t.Skip("only with -chaos.full")
			}
			reserve(t, oneServer+consumersOf)
			server := rig.StartNodes(t, rig.NodesOptions{Count: oneServer}).All()[0]
			proxy := rig.StartProxy(t, server.Addr())
			s := newScene(t, tt.name, rig.Config{}, []string{"nats://" + proxy.Addr(), server.URL()}, server.URL())
			broken, other := s.consumers[0], s.consumers[1]
			for range times(1, 3) {
				s.owns(broken)
				s.fault(func() { tt.breaks(proxy) })
				s.ownsAll(other)
				rig.Eventually(t, "not ready", func() bool { return !broken.Ready() })
				s.rest(sceneLease)
				s.flows()
				proxy.Heal()
				rig.Eventually(t, "ready again", broken.Ready)
				s.owns(broken)
				s.flows()
			}
			s.settle(tt.fault)
			if lines := broken.LogLines("level=WARN", "lease"); len(lines) == 0 {
				t.Error("the consumer that lost its leases does not say so")
			}
			t.Logf("proxy: %+v", proxy.Counts())
		})
	}
}

// owns waits until a consumer owns an account.
func (s *scene) owns(c *rig.Consumer) {
	s.t.Helper()
	rig.Eventually(s.t, c.Name+" owns an account", func() bool { return len(c.Holds()) > 0 })
}

// ownsAll waits until a consumer owns every account.
func (s *scene) ownsAll(c *rig.Consumer) {
	s.t.Helper()
	rig.Eventually(s.t, c.Name+" owns every account", func() bool {
		held := c.Holds()
		return !slices.ContainsFunc(rig.Offers(), func(o rig.Offer) bool {
			return !slices.Contains(held, o.Facts.Name+"/"+o.Facts.Name)
		})
	})
}
