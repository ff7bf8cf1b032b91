package dispatch

import (
	"errors"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// ledgerWrites counts the writes of records, and makes each take a while.
func (s *sim) ledgerWrites(took time.Duration) map[string]int {
	n := map[string]int{}
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.fail = func(op, key string) (error, bool) {
		if op != "get" && strings.HasPrefix(key, "op.") {
			n[op]++
			time.Sleep(took)
		}
		return nil, true
	}
	return n
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

// ready starts a replica and lets it take its account over.
func (s *sim) ready() (stop func()) {
	stop = s.start("a")
	s.wait(3 * time.Second)
	return stop
}

// The intent of a command that need not wait claims its token as well.
func TestTheIntentClaims(t *testing.T) {
	for name, lane := range map[string]string{"normal": restartLane, "bulk": strings.Replace(restartLane, "normal", "bulk", 1)} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(s *sim) {
				defer s.ready()()
				writes := s.ledgerWrites(0)
				s.vendor.execute = func(vendors.Request) vendors.Verdict {
					if rec, ok := s.record("tok-1"); !ok || rec.State != ledger.Sending || rec.Attempts != 1 {
						t.Errorf("at the call the record is %+v", rec)
					}
					return vendors.Verdict{Kind: vendors.Done}
				}
				s.broker.store(lane, s.command("1", data("priority", name)))
				s.wait(2 * time.Second)
				expect(t, s.final("1"), "succeeded")
				if want := map[string]int{"create": 1, "update": 1}; !maps.Equal(writes, want) {
					t.Errorf("writes %v, want %v", writes, want)
				}
			})
		})
	}
}

// A short wait for the instance costs no write either; a longer one claims the token.
func TestOnlyALongWaitClaims(t *testing.T) {
	for name, c := range map[string]struct {
		wait time.Duration
		want map[string]int
	}{
		"short": {patience / 2, map[string]int{"create": 2, "update": 2}},
		"long":  {patience * 2, map[string]int{"create": 2, "update": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(s *sim) {
				s.vendor.execute = func(vendors.Request) vendors.Verdict {
					time.Sleep(c.wait)
					return vendors.Verdict{Kind: vendors.Done}
				}
				defer s.ready()()
				writes := s.ledgerWrites(0)
				s.send("1")
				s.send("2", data("instanceId", "i-1"))
				s.wait(2 * time.Second)
				expect(t, s.final("1"), "succeeded")
				expect(t, s.final("2"), "succeeded")
				if !maps.Equal(writes, c.want) {
					t.Errorf("writes %v, want %v", writes, c.want)
				}
			})
		})
	}
}

// A duplicate that waits for its instance is not held up by what goes on there.
func TestADuplicateDoesNotWaitForItsInstance(t *testing.T) {
	simulate(t, func(s *sim) {
		defer s.ready()()
		s.send("1")
		s.wait(time.Second)
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			time.Sleep(10 * time.Second)
			return vendors.Verdict{Kind: vendors.Done}
		}
		s.send("2", data("instanceId", "i-1"))
		s.wait(time.Second)
		s.send("again", data("clientToken", "tok-1"), data("instanceId", "i-1"))
		s.wait(3 * patience)
		if got := s.final("again"); got.Status != "succeeded" || !got.Duplicate {
			t.Errorf("the duplicate was told %+v", got)
		}
		s.wait(20 * time.Second)
		expect(t, s.final("2"), "succeeded")
	})
}

// What waits for its turn holds its token meanwhile.
func TestWhatWaitsHasClaimed(t *testing.T) {
	simulate(t, func(s *sim) {
		defer s.ready()()
		for i := range 60 { // three seconds' worth
			s.send("1", attr("id", string(rune('A'+i))), data("clientToken", "tok-"+string(rune('A'+i))), data("instanceId", "i-"+string(rune('A'+i))))
		}
		s.wait(time.Second)
		claimed := 0
		for i := range 60 {
			if rec, ok := s.record("tok-" + string(rune('A'+i))); ok && rec.State == ledger.Claimed && rec.Attempts == 0 {
				claimed++
			}
		}
		if claimed < 5 {
			t.Errorf("%d commands that wait hold their tokens", claimed)
		}
		s.wait(5 * time.Second)
	})
}

// A token that has a record gives on what was taken for its command: the instance and
// the turn are free for others.
func TestATakenTokenIsNotUsedTwice(t *testing.T) {
	simulate(t, func(s *sim) {
		s.prepares(time.Millisecond)
		defer s.ready()()
		s.send("1")
		s.wait(2 * time.Second)
		s.send("again", data("clientToken", "tok-1"), data("instanceId", "i-1"))
		s.send("reused", data("clientToken", "tok-1"), data("instanceId", "i-2"))
		s.wait(500 * time.Millisecond) // no redelivery is needed
		expect(t, s.final("reused"), "rejected/token_reused")
		s.send("other", data("instanceId", "i-1"))
		s.send("another", data("instanceId", "i-2"))
		s.wait(2 * time.Second)
		expect(t, s.final("1"), "succeeded")
		if got := s.final("again"); got.Status != "succeeded" || !got.Duplicate {
			t.Errorf("the duplicate was told %+v", got)
		}
		expect(t, s.final("other"), "succeeded")
		expect(t, s.final("another"), "succeeded")
		if sent := s.vendor.sent(); len(sent) != 3 {
			t.Errorf("sent %+v", sent)
		}
	})
}

// A token that is wanted for other work while its command is looked up and not yet
// recorded is that command's all the same.
func TestATokenIsTakenBeforeItsRecord(t *testing.T) {
	simulate(t, func(s *sim) {
		s.prepares(500 * time.Millisecond)
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			time.Sleep(3 * time.Second)
			return vendors.Verdict{Kind: vendors.Done}
		}
		defer s.ready()()
		s.send("1")
		s.wait(100 * time.Millisecond)
		s.send("reused", data("clientToken", "tok-1"), data("instanceId", "i-2"))
		s.send("again", data("clientToken", "tok-1"), data("instanceId", "i-1"))
		s.wait(time.Second) // the record is there, the call is under way
		expect(t, s.final("reused"), "rejected/token_reused")
		s.wait(5 * time.Second)
		expect(t, s.final("1"), "succeeded")
		if got := s.final("again"); got.Status != "succeeded" || !got.Duplicate {
			t.Errorf("the duplicate was told %+v", got)
		}
	})
}

// A refusal of a look-up is told only once the ledger has it.
func TestARefusalTakesTheToken(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.prepare = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Refused, Reason: "instance_not_found", Message: "no such instance"}
		}
		defer s.ready()()
		writes := s.ledgerWrites(200 * time.Millisecond)
		s.send("1")
		s.wait(100 * time.Millisecond)
		if got := s.finals()["1"]; len(got) != 0 {
			t.Errorf("it was answered before it had its token: %+v", got)
		}
		s.wait(2 * time.Second)
		expect(t, s.final("1"), "failed/instance_not_found")
		if want := map[string]int{"create": 1}; !maps.Equal(writes, want) {
			t.Errorf("writes %v, want %v", writes, want)
		}
	})
}

// A command that finds its instance busy claims its token before it waits.
func TestBusyWaitsWithItsToken(t *testing.T) {
	simulate(t, func(s *sim) {
		var busy atomic.Bool
		busy.Store(true)
		s.vendor.prepare = func(vendors.Request) vendors.Verdict {
			if busy.Load() {
				return vendors.Verdict{Kind: vendors.Busy}
			}
			return vendors.Verdict{Kind: vendors.Done}
		}
		defer s.ready()()
		s.send("1")
		s.wait(time.Second)
		if rec, ok := s.record("tok-1"); !ok || rec.State != ledger.Claimed || rec.Attempts != 0 {
			t.Errorf("the record is %+v", rec)
		}
		busy.Store(false)
		s.wait(30 * time.Second)
		expect(t, s.final("1"), "succeeded")
	})
}

// A command whose time passes before its call leaves its token free.
func TestExpiryBeforeTheCallLeavesTheTokenFree(t *testing.T) {
	for _, look := range []vendors.Kind{vendors.Done, vendors.Transient} {
		t.Run(look.String(), func(t *testing.T) {
			simulate(t, func(s *sim) {
				defer s.ready()()
				s.vendor.prepare = func(vendors.Request) vendors.Verdict {
					time.Sleep(2 * time.Second)
					return vendors.Verdict{Kind: look}
				}
				s.send("1", attr("expirytime", time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)))
				s.wait(5 * time.Second)
				expect(t, s.final("1"), "expired/expired")
				if sent := s.vendor.sent(); len(sent) != 0 {
					t.Errorf("sent %+v", sent)
				}
				if rec, _ := s.record("tok-1"); rec.State != ledger.Free {
					t.Errorf("left in the ledger: %+v", rec)
				}
				s.vendor.prepare = nil
				s.send("2", data("clientToken", "tok-1"))
				s.wait(5 * time.Second)
				expect(t, s.final("2"), "succeeded")
			})
		})
	}
}

// An event that comes again, and whose time passes before it is known to have been
// answered, gets the same answer again.
func TestExpiryDoesNotHideAnAnswer(t *testing.T) {
	simulate(t, func(s *sim) {
		defer s.ready()()
		soon := attr("expirytime", time.Now().Add(4*time.Second).UTC().Format(time.RFC3339Nano))
		s.send("1", soon)
		s.wait(2 * time.Second)
		s.vendor.prepare = func(vendors.Request) vendors.Verdict {
			time.Sleep(3 * time.Second)
			return vendors.Verdict{Kind: vendors.Transient}
		}
		s.send("1", soon)
		s.wait(10 * time.Second)
		for _, got := range s.finals()["1"] {
			expect(t, got, "succeeded")
		}
	})
}

// A duplicate of what was here of late finds the record first, and is not looked up.
func TestADuplicateIsNotPrepared(t *testing.T) {
	simulate(t, func(s *sim) {
		defer s.ready()()
		prepared := s.prepares(0)
		s.send("1")
		s.wait(3 * time.Second)
		s.send("2", data("clientToken", "tok-1"), data("instanceId", "i-1"))
		s.wait(3 * time.Second)
		if got := s.final("2"); got.Status != "succeeded" || !got.Duplicate {
			t.Errorf("the duplicate is answered %+v", got)
		}
		if *prepared != 1 {
			t.Errorf("%d look-ups", *prepared)
		}
	})
}

// A write whose answer is lost is recognised as the command's own; one that finds the
// ledger full is made up for by a later delivery.
func TestTroubleWithTheFirstWrite(t *testing.T) {
	for name, trouble := range map[string]error{"lost": errors.New("no answer"), "full": broker.ErrFull} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(s *sim) {
				defer s.ready()()
				first := true
				s.ledger.mu.Lock()
				s.ledger.fail = func(op, key string) (error, bool) {
					if op == "create" && strings.HasPrefix(key, "op.") && first {
						first = false
						return trouble, name == "lost"
					}
					return nil, true
				}
				s.ledger.mu.Unlock()
				s.send("1")
				s.wait(20 * time.Second)
				expect(t, s.final("1"), "succeeded")
				if sent := s.vendor.sent(); len(sent) != 1 {
					t.Errorf("sent %+v", sent)
				}
			})
		})
	}
}
