package dispatch

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// slowClaims makes every claim take a while.
func (s *sim) slowClaims(d time.Duration) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.fail = func(op, key string) (error, bool) {
		if op == "create" && strings.HasPrefix(key, "op.") {
			time.Sleep(d)
		}
		return nil, true
	}
}

// prepares counts the look-ups of mutations and how long each takes.
func (s *sim) prepares(took time.Duration) *int {
	n := new(int)
	s.vendor.prepare = func(vendors.Request) vendors.Verdict {
		s.vendor.mu.Lock()
		*n++
		s.vendor.mu.Unlock()
		time.Sleep(took)
		return vendors.Verdict{Kind: vendors.Done}
	}
	return n
}

// A command that comes alone is looked up while its token is claimed.
func TestLookUpBesideTheClaim(t *testing.T) {
	simulate(t, func(s *sim) {
		looks := s.prepares(300 * time.Millisecond)
		stop := s.start("a")
		defer stop()
		s.wait(3 * time.Second)
		s.slowClaims(300 * time.Millisecond)
		began := time.Now()
		s.send("1")
		s.wait(2 * time.Second)
		expect(t, s.final("1"), "succeeded")
		if sent := s.vendor.sent(); len(sent) != 1 || sent[0].at.Sub(began) > 400*time.Millisecond {
			t.Errorf("sent %v after it was published", sent[0].at.Sub(began))
		}
		if *looks != 1 {
			t.Errorf("%d look-ups", *looks)
		}
	})
}

// A token that is somebody else's, or is claimed slowly, gives on what was taken early:
// the instance and the turn are free for others.
func TestEarlyLookUpIsGivenOn(t *testing.T) {
	for _, claims := range []time.Duration{time.Millisecond, 1500 * time.Millisecond} {
		simulate(t, func(s *sim) {
			looks := s.prepares(time.Millisecond)
			stop := s.start("a")
			defer stop()
			s.wait(3 * time.Second)
			s.slowClaims(claims)
			s.send("1")
			s.wait(5 * time.Second)
			s.send("again", data("clientToken", "tok-1"), data("instanceId", "i-1"))
			s.wait(5 * time.Second)
			s.send("other", data("instanceId", "i-1"))
			s.wait(5 * time.Second)
			expect(t, s.final("1"), "succeeded")
			if got := s.final("again"); got.Status != "succeeded" || !got.Duplicate {
				t.Errorf("the duplicate was told %+v", got)
			}
			expect(t, s.final("other"), "succeeded")
			if sent := s.vendor.sent(); len(sent) != 2 {
				t.Errorf("sent %+v", sent)
			}
			if claims > earlyFor && *looks < 4 {
				t.Errorf("%d look-ups: what was seen before a slow claim was used after it", *looks)
			}
		})
	}
}

// What an early look-up finds is told only once the token is the command's.
func TestEarlyRefusalTakesTheToken(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.prepare = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Refused, Reason: "instance_not_found", Message: "no such instance"}
		}
		stop := s.start("a")
		defer stop()
		s.wait(3 * time.Second)
		s.slowClaims(200 * time.Millisecond)
		s.send("1")
		s.wait(100 * time.Millisecond)
		if got := s.finals()["1"]; len(got) != 0 {
			t.Errorf("it was answered before it had its token: %+v", got)
		}
		s.wait(2 * time.Second)
		expect(t, s.final("1"), "failed/instance_not_found")
	})
}
