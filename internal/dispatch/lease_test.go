package dispatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Replicas share the accounts evenly, and take over those of one that stops.
func TestReplicasShareAccounts(t *testing.T) {
	simulate(t, func(s *sim) {
		base := s.conf
		var accounts []Account
		for i := range 5 {
			a := base
			a.Name = fmt.Sprintf("acct%d", i)
			accounts = append(accounts, a)
		}
		ma, stopA := s.startWith("a", accounts)
		s.wait(5 * time.Second)
		if held(ma) != 5 {
			t.Errorf("alone, a holds %d of 5", held(ma))
		}
		mb, stopB := s.startWith("b", accounts)
		s.wait(30 * time.Second)
		if a, b := held(ma), held(mb); a+b != 5 || a > 3 || b > 3 {
			t.Errorf("a holds %d and b %d of 5", a, b)
		}
		stopA()
		s.wait(time.Second)
		if held(mb) != 5 {
			t.Errorf("1 s after a stopped, b holds %d of 5", held(mb))
		}
		stopB()
	})
}

// A replica that hands one account back goes on renewing the leases of others,
// however long the call in flight takes.
func TestHandingBackDelaysNoOtherLease(t *testing.T) {
	simulate(t, func(s *sim) {
		base := s.conf
		one, two := base, base
		one.Name, two.Name = "one", "two"
		accounts := []Account{one, two}
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			time.Sleep(9 * time.Second) // longer than the lease lives
			return vendors.Verdict{Kind: vendors.Done}
		}
		_, stopA := s.startWith("a", accounts)
		s.wait(3 * time.Second)
		for _, name := range []string{"one", "two"} {
			s.broker.store(strings.Replace(restartLane, "prod", name, 1), s.command(name, data("account", name)))
		}
		s.wait(time.Second)
		_, stopB := s.startWith("b", accounts)
		s.wait(40 * time.Second)
		for _, name := range []string{"one", "two"} {
			expect(t, s.final(name), events.Succeeded)
		}
		if n := len(s.vendor.sent()); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
		stopA()
		stopB()
	})
}
