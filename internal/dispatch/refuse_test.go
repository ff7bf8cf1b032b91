package dispatch

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// loseAcks has every message delivered again, as if no acknowledgement had arrived.
func (s *sim) loseAcks() {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	for _, m := range s.broker.stored {
		m.acked, m.pending = false, false
	}
	s.broker.signal()
}

// expectAll demands the same answer of every time that an event was answered.
func (s *sim) expectAll(t *testing.T, id, want string) {
	t.Helper()
	got := s.finals()[id]
	if len(got) == 0 {
		t.Errorf("%s has no final result", id)
	}
	for _, r := range got {
		if said(r) != want {
			t.Errorf("%s was told %s, want %s: %+v", id, said(r), want, r.Reason)
		}
	}
}

func in(d time.Duration) func(map[string]any) {
	return attr("expirytime", time.Now().Add(d).UTC().Format(time.RFC3339Nano))
}

// throttled turns look-ups away for as long as it is set.
func (s *sim) throttled() *atomic.Bool {
	on := new(atomic.Bool)
	on.Store(true)
	s.vendor.prepare = func(vendors.Request) vendors.Verdict {
		if on.Load() {
			return vendors.Verdict{Kind: vendors.Throttled}
		}
		return vendors.Verdict{Kind: vendors.Done}
	}
	return on
}

// Who was told that its token names other work is told so again, before and after its
// own time, though that work expired unsent and left the token free, or to somebody else.
func TestReuseIsToldAgain(t *testing.T) {
	for i := range 4 {
		taken, late := i%2 == 1, i >= 2
		simulate(t, func(s *sim) {
			defer s.ready()()
			second := []func(map[string]any){data("clientToken", "tok-1")}
			if late {
				second = append(second, in(10*time.Second))
			}
			throttled := s.throttled()
			s.send("1", in(10*time.Second))
			s.wait(3 * time.Second)
			s.send("2", second...)
			s.wait(3 * time.Second)
			s.expectAll(t, "2", "rejected/token_reused")
			s.wait(10 * time.Second)
			s.expectAll(t, "1", "expired/expired")
			if rec, _ := s.record("tok-1"); rec.State != ledger.Free {
				t.Errorf("the token is not free: %+v", rec)
			}
			throttled.Store(false)
			if taken {
				s.send("3", data("clientToken", "tok-1"), data("instanceId", "i-2"))
				s.wait(3 * time.Second)
				s.expectAll(t, "3", "succeeded")
			}
			s.loseAcks()
			s.send("2", second...)
			s.wait(20 * time.Second)
			s.expectAll(t, "1", "expired/expired")
			s.expectAll(t, "2", "rejected/token_reused")
			if sent := s.vendor.sent(); len(sent) > 1 || len(sent) == 1 && !taken {
				t.Errorf("sent %+v", sent)
			}
		})
	}
}

// Who was told that its token names other work is told so again after its own time.
func TestReuseIsToldAgainAfterItsTime(t *testing.T) {
	simulate(t, func(s *sim) {
		defer s.ready()()
		s.send("1")
		s.wait(3 * time.Second)
		s.send("2", data("clientToken", "tok-1"), in(5*time.Second))
		s.wait(10 * time.Second)
		s.expectAll(t, "2", "rejected/token_reused")
		s.loseAcks()
		s.wait(10 * time.Second)
		s.expectAll(t, "1", "succeeded")
		s.expectAll(t, "2", "rejected/token_reused")
	})
}

// Who was told that its time had passed is told so again, though another command
// carries the same work out meanwhile, or other work with its token.
func TestExpiryIsToldAgain(t *testing.T) {
	for _, instance := range []string{"i-1", "i-2"} {
		simulate(t, func(s *sim) {
			s.send("1", in(time.Second))
			s.wait(3 * time.Second)
			defer s.ready()()
			s.expectAll(t, "1", "expired/expired")
			done := time.Now().Add(time.Minute)
			s.vendor.execute = func(vendors.Request) vendors.Verdict {
				return vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{ID: "t"}}
			}
			s.vendor.poll = func(task vendors.Task) vendors.Progress {
				if time.Now().Before(done) {
					return vendors.Progress{State: vendors.Running, Task: task}
				}
				return vendors.Progress{State: vendors.Succeeded, Task: task}
			}
			s.send("2", data("clientToken", "tok-1"), data("instanceId", instance))
			s.wait(3 * time.Second)
			s.loseAcks()
			s.wait(2 * time.Minute)
			s.expectAll(t, "1", "expired/expired")
			s.expectAll(t, "2", "succeeded")
			if sent := s.vendor.sent(); len(sent) != 1 {
				t.Errorf("sent %+v", sent)
			}
		})
	}
}

// A duplicate that was told the outcome is told it again after its time; one that is
// first delivered after its time is told that, and told it again.
func TestDuplicateAfterItsTime(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.ready()
		same := []func(map[string]any){data("clientToken", "tok-1"), data("instanceId", "i-1")}
		s.send("1")
		s.send("2", append(same, in(5*time.Second))...)
		s.wait(3 * time.Second)
		stop()
		s.send("3", append(same, in(time.Second))...)
		s.send("4", append(same, in(-time.Second))...)
		s.wait(3 * time.Second)
		defer s.start("b")()
		s.wait(3 * time.Second)
		for range 2 {
			s.expectAll(t, "2", "succeeded")
			s.expectAll(t, "3", "expired/expired")
			s.expectAll(t, "4", "expired/expired")
			s.loseAcks()
			s.wait(20 * time.Second)
		}
	})
}

// A batch that has one token for all of its commands does not spend its time on lost
// compare-and-sets while the first waits.
func TestOneTokenForABatch(t *testing.T) {
	simulate(t, func(s *sim) {
		defer s.ready()()
		throttled := s.throttled()
		s.send("1")
		s.wait(3 * time.Second)
		s.ledger.mu.Lock()
		s.ledger.takes = time.Millisecond
		s.ledger.mu.Unlock()
		writes := s.ledgerWrites(0)
		const batch = 60
		for i := range batch {
			s.send(fmt.Sprint("other", i), data("clientToken", "tok-1"))
		}
		s.wait(3 * time.Second)
		for i := range batch {
			s.expectAll(t, fmt.Sprint("other", i), "rejected/token_reused")
		}
		rec, _ := s.record("tok-1")
		if len(rec.Reused) != batch || writes["update"] > batch+batch/4 {
			t.Errorf("%d refusals are noted, with %d writes", len(rec.Reused), writes["update"])
		}
		throttled.Store(false)
		s.wait(time.Minute)
		s.expectAll(t, "1", "succeeded")
	})
}

// A note in the record of work that is under way does not make its command let go, also
// when the ledger does not answer just then: its instance would be another's.
func TestNoteInTheRecordOfSentWork(t *testing.T) {
	simulate(t, func(s *sim) {
		defer s.ready()()
		var over, heals atomic.Bool
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{ID: "t"}}
		}
		s.vendor.poll = func(task vendors.Task) vendors.Progress {
			if !over.Load() {
				return vendors.Progress{State: vendors.Running, Task: task}
			}
			return vendors.Progress{State: vendors.Succeeded, Task: task}
		}
		s.send("1")
		s.wait(3 * time.Second)
		e, err := ledger.Open(s.ledger, "other").Get(t.Context(), events.TokenKey("tok-1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Save(t.Context(), func(r *ledger.Record) { r.TellExpired("somebody") }); err != nil {
			t.Fatal(err)
		}
		gets := 0
		s.ledger.mu.Lock()
		s.ledger.fail = func(op, key string) (error, bool) {
			if op == "get" && key == ledger.Key(events.TokenKey("tok-1")) {
				if gets++; gets > 1 && !heals.Load() { // that the record has changed is still seen
					return errors.New("no answer"), false
				}
			}
			return nil, true
		}
		s.ledger.mu.Unlock()
		s.send("2", data("instanceId", "i-1"))
		over.Store(true)
		s.wait(20 * time.Second)
		if sent := s.vendor.sent(); len(sent) != 1 {
			t.Errorf("%d calls left while the outcome of the first was not recorded", len(sent))
		}
		heals.Store(true)
		s.wait(20 * time.Second)
		s.expectAll(t, "1", "succeeded")
		s.expectAll(t, "2", "succeeded")
		if rec, _ := s.record("tok-1"); !rec.ToldExpired("somebody") {
			t.Error("the note is lost")
		}
	})
}
