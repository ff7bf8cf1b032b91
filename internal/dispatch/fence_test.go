package dispatch

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

var errCut = errors.New("connection cut")

// A renewal that was stored but not confirmed must not make the lease longer than
// the broker keeps it: it counts from a write that was confirmed.
func TestUnconfirmedRenewalDoesNotStretchTheLease(t *testing.T) {
	simulate(t, func(s *sim) {
		e, stop := s.startWith("a", []Account{s.conf})
		s.wait(3 * time.Second)
		account := e.serving["account.simcloud.prod"]
		// One renewal is stored and its confirmation lost; then nothing gets
		// through for a while; then an update finds the unconfirmed one.
		var lost, cut atomic.Bool
		s.leases.mu.Lock()
		s.leases.fail = func(op, key string) (error, bool) {
			switch {
			case !strings.HasPrefix(key, accountPrefix):
				return nil, true
			case op == "update" && lost.CompareAndSwap(false, true):
				cut.Store(true)
				return errCut, true
			case cut.Load():
				return errCut, false
			}
			return nil, true
		}
		s.leases.mu.Unlock()
		for !lost.Load() {
			s.wait(10 * time.Millisecond)
		}
		stored := time.Now()
		for time.Since(stored) < 20*time.Second {
			if account.lease.valid() && time.Since(stored) > 8*time.Second {
				t.Fatalf("the lease counts as valid %v after the last write that the broker has", time.Since(stored))
			}
			// Reads come back before writes do: the conflict with our own write
			// is seen, and no new one is stored.
			if time.Since(stored) > 5*time.Second {
				s.leases.mu.Lock()
				s.leases.fail = func(op, key string) (error, bool) {
					if op == "update" && strings.HasPrefix(key, accountPrefix) {
						if e, ok := s.leases.live(key); ok && time.Since(e.Created) > time.Second {
							return broker.ErrConflict, false
						}
					}
					return nil, true
				}
				s.leases.mu.Unlock()
			}
			s.wait(100 * time.Millisecond)
		}
		s.leases.mu.Lock()
		s.leases.fail = nil
		s.leases.mu.Unlock()
		stop()
	})
}

// Calls in flight may take longer than a lease lives; while they are finished on
// a stop, nobody else may take the account and the answer must be recorded.
func TestLeaseIsKeptWhileDraining(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			time.Sleep(9500 * time.Millisecond)
			return vendors.Verdict{Kind: vendors.Done}
		}
		_, stopA := s.startWith("a", []Account{s.conf})
		s.wait(3 * time.Second)
		s.send("1")
		s.wait(time.Second)
		_, stopB := s.startWith("b", []Account{s.conf})
		stopA()
		s.wait(10 * time.Second)
		got := s.final("1")
		expect(t, got, events.Succeeded)
		if rec, _ := s.record("tok-1"); rec.Last() == nil || rec.Last().Verdict != "done" {
			t.Errorf("the answer was not recorded: %+v", rec.Last())
		}
		stopB()
	})
}

// A duplicate whose own time is over must not end the work of the command that
// holds the token, though its delivery may be the one that drives it.
func TestWorkExpiresWithItsOwnCommand(t *testing.T) {
	simulate(t, func(s *sim) {
		var free atomic.Bool
		s.vendor.prepare = func(vendors.Request) vendors.Verdict {
			if free.Load() {
				return vendors.Verdict{Kind: vendors.Done}
			}
			return vendors.Verdict{Kind: vendors.Busy, Reason: "instance_busy"}
		}
		_, stopA := s.startWith("a", []Account{s.conf})
		s.wait(3 * time.Second)
		s.send("1") // holds the token, an hour to go
		s.wait(time.Second)
		stopA()
		soon := time.Now().Add(20 * time.Second).UTC().Format(time.RFC3339)
		s.broker.store("sluice.commands.simcloud.prod.r1.restart.urgent",
			s.command("2", data("clientToken", "tok-1"), data("instanceId", "i-1"), data("priority", "urgent"), attr("expirytime", soon)))
		// The holder's own message stays away, as after a nak with a delay.
		s.broker.mu.Lock()
		s.broker.stored[0].pending, s.broker.stored[0].hiddenTill = true, time.Now().Add(10*time.Minute)
		s.broker.mu.Unlock()
		_, stopB := s.startWith("b", []Account{s.conf})
		s.wait(time.Minute)
		if got := s.finals(); len(got) != 0 {
			t.Fatalf("answered while the work may still start: %+v", got)
		}
		free.Store(true)
		s.wait(20 * time.Minute)
		expect(t, s.final("1"), events.Succeeded)
		if got := s.final("2"); got.Status != events.Succeeded || !got.Duplicate {
			t.Errorf("the duplicate is answered %+v", got)
		}
		stopB()
	})
}

// A full ledger keeps commands waiting: none is sent and none is lost, and what
// was sent before is recorded once there is room.
func TestFullLedger(t *testing.T) {
	simulate(t, func(s *sim) {
		var full, healed atomic.Bool
		s.ledger.fail = func(op, _ string) (error, bool) {
			if full.Load() && op != "get" {
				return broker.ErrFull, false
			}
			return nil, true
		}
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			full.Store(!healed.Load()) // full by the time of the answer
			return vendors.Verdict{Kind: vendors.Done}
		}
		stop := s.start("a")
		defer stop()
		s.wait(3 * time.Second)
		s.send("1")
		s.wait(time.Second)
		s.send("2")
		s.wait(time.Minute)
		if n := len(s.vendor.sent()); n != 1 {
			t.Errorf("%d calls left, want only the one from before", n)
		}
		if got := s.finals(); len(got) != 0 {
			t.Errorf("announced what is not recorded: %+v", got)
		}
		healed.Store(true)
		full.Store(false)
		s.wait(5 * time.Second)
		expect(t, s.final("1"), events.Succeeded)
		expect(t, s.final("2"), events.Succeeded)
		if n := len(s.vendor.sent()); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
	})
}

// Work begun before its operation was switched off is followed to its end, and
// holds its instance until then.
func TestSwitchedOffWithWorkInFlight(t *testing.T) {
	simulate(t, func(s *sim) {
		var done atomic.Bool
		s.vendor.execute = func(vendors.Request) vendors.Verdict { return vendors.Verdict{Kind: vendors.Accepted} }
		s.vendor.poll = func(task vendors.Task) vendors.Progress {
			if done.Load() {
				return vendors.Progress{State: vendors.Succeeded, Task: task}
			}
			return vendors.Progress{State: vendors.Running, Task: task}
		}
		both := s.conf
		both.Allow = map[string]bool{"restart": true, "flush": true}
		_, stopA := s.startWith("a", []Account{both})
		s.wait(3 * time.Second)
		const flushLane = "sluice.commands.simcloud.prod.r1.flush.normal"
		s.broker.store(flushLane, s.command("1", attr("type", "dev.sluice.command.flush.v1"), data("instanceId", "same")))
		s.wait(3 * time.Second)
		stopA()
		_, stopB := s.startWith("b", []Account{s.conf}) // restart only
		s.broker.store(flushLane, s.command("2", attr("type", "dev.sluice.command.flush.v1")))
		s.send("3", data("instanceId", "same"))
		s.wait(time.Minute)
		if n := len(s.vendor.sent()); n != 1 {
			t.Errorf("%d calls while the first is being followed, want 1", n)
		}
		done.Store(true)
		s.wait(time.Minute)
		expect(t, s.final("1"), events.Succeeded)
		expect(t, s.final("2"), "rejected/operation_not_allowed")
		expect(t, s.final("3"), events.Succeeded)
		stopB()
	})
}

// Without its region in the configuration nobody can follow what was sent: a
// person has to look.
func TestRegionRemovedWithWorkInFlight(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.execute = func(vendors.Request) vendors.Verdict { return vendors.Verdict{Kind: vendors.Accepted} }
		s.vendor.poll = func(task vendors.Task) vendors.Progress {
			return vendors.Progress{State: vendors.Running, Task: task}
		}
		_, stopA := s.startWith("a", []Account{s.conf})
		s.wait(3 * time.Second)
		s.send("1")
		s.wait(3 * time.Second)
		stopA()
		moved := s.conf
		moved.Regions = []string{"r2"}
		_, stopB := s.startWith("b", []Account{moved})
		s.send("2")
		s.wait(10 * time.Second)
		expect(t, s.final("1"), "indeterminate/outcome_unknown")
		expect(t, s.final("2"), "rejected/unknown_region")
		stopB()
	})
}

// An intake message that was forwarded and comes again after its time must not be
// refused: the forwarded copy may have run.
func TestIntakeDeliveredAgainAfterItsTime(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.start("a")
		s.wait(3 * time.Second)
		soon := time.Now().Add(5 * time.Second).UTC().Format(time.RFC3339)
		s.broker.store("sluice.intake", s.command("1", attr("expirytime", soon)))
		s.wait(3 * time.Second)
		expect(t, s.final("1"), events.Succeeded)
		stop()
		s.broker.mu.Lock()
		s.broker.stored[0].acked = false // its acknowledgement was lost
		s.broker.mu.Unlock()
		s.wait(time.Minute)
		stop = s.start("b")
		s.wait(time.Minute)
		for _, got := range s.finals()["1"] {
			expect(t, got, events.Succeeded)
		}
		stop()
	})
}

// What an earlier process wrote is kept: a lost answer and what was found instead.
func TestFindingIsKeptBesideTheAnswer(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Ambiguous, Response: vendors.Response{HTTPStatus: 504}}
		}
		s.vendor.reconcile = func(vendors.Intent) vendors.Finding {
			return vendors.Finding{Conclusion: vendors.Ran, Task: vendors.Task{ID: "t"}, Evidence: "one new task"}
		}
		stop := s.start("a")
		defer stop()
		s.send("1")
		s.wait(10 * time.Second)
		rec, _ := s.record("tok-1")
		last := rec.Last()
		if rec.State != ledger.Final || last.Verdict != "ambiguous" || !strings.Contains(string(last.Answer), "504") ||
			last.Finding == nil || last.Finding.Conclusion != "ran" || last.Finding.Evidence != "one new task" || last.Finding.Looks != 1 {
			t.Errorf("attempt %+v, finding %+v", last, last.Finding)
		}
	})
}
