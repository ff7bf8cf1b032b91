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

// status and reason of a result, for comparing.
func said(r events.Result) string {
	if r.Reason == nil {
		return r.Status
	}
	return r.Status + "/" + r.Reason.Code
}

func expect(t *testing.T, got events.Result, want string) {
	t.Helper()
	if said(got) != want {
		t.Errorf("result is %s, want %s: %+v", said(got), want, got.Reason)
	}
}

func TestCommandSucceeds(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.start("a")
		defer stop()
		s.send("1")
		s.wait(3 * time.Second)
		got := s.final("1")
		expect(t, got, "succeeded")
		if got.Attempts != 1 || got.Duplicate || got.Times.Started == nil || got.Times.Finished == nil {
			t.Errorf("unexpected facts: %+v", got)
		}
		if rec, ok := s.record("tok-1"); !ok || rec.State != ledger.Final {
			t.Errorf("record is %+v", rec)
		}
	})
}

func TestAsynchronousWorkIsAnnouncedAndFollowed(t *testing.T) {
	simulate(t, func(s *sim) {
		began := time.Now()
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{ID: "t1"}}
		}
		s.vendor.poll = func(task vendors.Task) vendors.Progress {
			if time.Since(began) < time.Minute {
				return vendors.Progress{State: vendors.Running, Task: task}
			}
			return vendors.Progress{State: vendors.Failed, Task: task, Verdict: vendors.Verdict{Reason: "task_failed", Message: "it broke"}}
		}
		stop := s.start("a")
		defer stop()
		s.send("1")
		s.wait(2 * time.Minute)
		var seen []string
		for _, e := range s.results() {
			seen = append(seen, e.ID[strings.LastIndex(e.ID, ".")+1:])
		}
		if strings.Join(seen, " ") != "accepted failed" {
			t.Errorf("results %v, want accepted, failed", seen)
		}
		got := s.final("1")
		expect(t, got, "failed/task_failed")
		if got.VendorResponse == nil || got.VendorResponse.TaskID != "t1" || got.Times.Accepted == nil {
			t.Errorf("task or acceptance missing: %+v", got)
		}
	})
}

func TestDryRunSendsNothingAndTakesNoToken(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.start("a")
		defer stop()
		s.send("1", data("dryRun", true))
		s.wait(3 * time.Second)
		got := s.final("1")
		expect(t, got, "succeeded")
		if !got.DryRun || got.Plan == nil || got.Plan.Action != "Restart" {
			t.Errorf("unexpected facts: %+v", got)
		}
		if _, ok := s.record("tok-1"); ok || len(s.vendor.sent()) > 0 {
			t.Errorf("a dry run took the token (%t) or sent %d calls", ok, len(s.vendor.sent()))
		}
	})
}

func TestDuplicateAndReuse(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.start("a")
		defer stop()
		s.send("1")
		s.send("2", data("clientToken", "tok-1"), data("instanceId", "i-1"))
		s.send("3", data("clientToken", "tok-1"))
		s.wait(3 * time.Second)
		s.send("4", data("clientToken", "tok-1"), data("instanceId", "i-1"))
		s.wait(3 * time.Second)
		for _, id := range []string{"2", "4"} {
			if got := s.final(id); got.Status != "succeeded" || !got.Duplicate {
				t.Errorf("duplicate %s answered %+v", id, got)
			}
		}
		if s.final("1").Duplicate {
			t.Error("the first command is marked as a duplicate")
		}
		expect(t, s.final("3"), "rejected/token_reused")
		if n := len(s.vendor.sent()); n != 1 {
			t.Errorf("%d mutations left, want 1", n)
		}
	})
}

func TestRefusalLeavesTokenFree(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.start("a")
		defer stop()
		s.send("1", attr("expirytime", "2000-01-01T00:00:01Z"))
		s.wait(2 * time.Second)
		s.send("2", data("clientToken", "tok-1"))
		s.wait(2 * time.Second)
		s.broker.store("sluice.commands.simcloud.prod.r1.flush.normal", s.command("3", attr("type", "dev.sluice.command.flush.v1")))
		s.broker.store("sluice.commands.simcloud.prod.r9.restart.normal", s.command("4", data("region", "r9")))
		s.broker.store("sluice.commands.simcloud.prod.r1.reboot.normal", s.command("5"))
		s.broker.store(restartLane, []byte("no event"))
		s.wait(3 * time.Second)
		expect(t, s.final("1"), "expired/expired")
		expect(t, s.final("2"), "succeeded")
		expect(t, s.final("3"), "rejected/operation_not_allowed")
		expect(t, s.final("4"), "rejected/unknown_region")
		expect(t, s.final("5"), "rejected/subject_mismatch")
		last := s.broker.published[len(s.broker.published)-1]
		found := false
		for _, m := range s.broker.published {
			found = found || m.Subject == "sluice.deadletters.not_cloudevent" && string(m.Data) == "no event"
		}
		if !found {
			t.Errorf("no dead letter; last is %s", last.Subject)
		}
	})
}

func TestTransientThenSuccess(t *testing.T) {
	simulate(t, func(s *sim) {
		left := 2
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			if left--; left >= 0 {
				return vendors.Verdict{Kind: vendors.Transient, Reason: "vendor_unavailable", Message: "refused"}
			}
			return vendors.Verdict{Kind: vendors.Done}
		}
		stop := s.start("a")
		defer stop()
		s.send("1")
		s.wait(time.Minute)
		got := s.final("1")
		expect(t, got, "succeeded")
		if got.Attempts != 3 {
			t.Errorf("attempts %d, want 3", got.Attempts)
		}
	})
}

func TestTransientUsesUpAttempts(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Transient, Reason: "vendor_unavailable", Message: "refused"}
		}
		stop := s.start("a")
		defer stop()
		s.send("1")
		s.wait(10 * time.Minute)
		expect(t, s.final("1"), "failed/vendor_unavailable")
		if n := len(s.vendor.sent()); n != 4 {
			t.Errorf("%d calls, want 4", n)
		}
	})
}

func TestAmbiguousIsNeverSentAgainWithoutProof(t *testing.T) {
	for name, tc := range map[string]struct {
		reconcile func(vendors.Intent) vendors.Finding
		want      string
		calls     int
		within    time.Duration
	}{
		"nothing can be told": {nil, "indeterminate/outcome_unknown", 1, 7 * time.Minute},
		"shown to have run": {func(vendors.Intent) vendors.Finding {
			return vendors.Finding{Conclusion: vendors.Ran, Task: vendors.Task{ID: "t"}, Evidence: "one new task"}
		}, "succeeded", 1, 10 * time.Second},
		"several candidates": {func(vendors.Intent) vendors.Finding {
			return vendors.Finding{Conclusion: vendors.Several, Evidence: "two new tasks"}
		}, "indeterminate/outcome_unknown", 1, 10 * time.Second},
		"shown not to have run": {func(i vendors.Intent) vendors.Finding {
			if i.Lapsed {
				return vendors.Finding{Conclusion: vendors.NotRun, Evidence: "no task"}
			}
			return vendors.Finding{Clear: true}
		}, "succeeded", 2, 7 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(s *sim) {
				first := true
				s.vendor.execute = func(vendors.Request) vendors.Verdict {
					if first {
						first = false
						return vendors.Verdict{Kind: vendors.Ambiguous, Reason: "outcome_unknown"}
					}
					return vendors.Verdict{Kind: vendors.Done}
				}
				s.vendor.reconcile = tc.reconcile
				stop := s.start("a")
				defer stop()
				s.send("1")
				s.wait(tc.within + time.Second)
				expect(t, s.final("1"), tc.want)
				if n := len(s.vendor.sent()); n != tc.calls {
					t.Errorf("%d calls left, want %d", n, tc.calls)
				}
			})
		})
	}
}

func TestOneMutationAtATimePerInstance(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.execute = func(vendors.Request) vendors.Verdict { return vendors.Verdict{Kind: vendors.Accepted} }
		polls := 0
		s.vendor.poll = func(task vendors.Task) vendors.Progress {
			if polls++; polls < 4 {
				if n := len(s.vendor.sent()); n != 1 {
					t.Errorf("%d mutations while the first is being followed", n)
				}
				return vendors.Progress{State: vendors.Running, Task: task}
			}
			return vendors.Progress{State: vendors.Succeeded, Task: task}
		}
		stop := s.start("a")
		defer stop()
		s.send("1", data("instanceId", "same"))
		s.send("2", data("instanceId", "same"))
		s.wait(time.Minute)
		expect(t, s.final("1"), "succeeded")
		expect(t, s.final("2"), "succeeded")
	})
}

// The next command has the instance as soon as the outcome of the one before is
// recorded, which is announced meanwhile.
func TestInstanceIsFreeOnceTheOutcomeIsRecorded(t *testing.T) {
	simulate(t, func(s *sim) {
		s.broker.publishFail = func(broker.Outgoing) error {
			if len(s.vendor.sent()) < 2 {
				return errors.New("not now")
			}
			return nil
		}
		defer s.start("a")()
		s.send("1", data("instanceId", "same"))
		s.send("2", data("instanceId", "same"))
		s.wait(time.Minute)
		expect(t, s.final("1"), "succeeded")
		expect(t, s.final("2"), "succeeded")
	})
}

func TestBreakerHoldsAndProbes(t *testing.T) {
	simulate(t, func(s *sim) {
		var broken atomic.Bool
		broken.Store(true)
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			if broken.Load() {
				return vendors.Verdict{Kind: vendors.Unauthorized, Reason: "unauthorized"}
			}
			return vendors.Verdict{Kind: vendors.Done}
		}
		s.vendor.probe = func() vendors.Verdict {
			if broken.Load() {
				return vendors.Verdict{Kind: vendors.Unauthorized}
			}
			return vendors.Verdict{Kind: vendors.Done}
		}
		stop := s.start("a")
		defer stop()
		for _, id := range []string{"1", "2", "3"} {
			s.send(id)
		}
		s.wait(time.Minute)
		if n := len(s.vendor.sent()); n > 2 {
			t.Errorf("%d calls with a wrong key; it must not burn the queue", n)
		}
		broken.Store(false)
		s.wait(time.Minute)
		for _, id := range []string{"1", "2", "3"} {
			expect(t, s.final(id), "succeeded")
		}
	})
}

func TestHandOverGoesOnWhereTheFirstStopped(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{ID: "t"}}
		}
		var done atomic.Bool
		s.vendor.poll = func(task vendors.Task) vendors.Progress {
			if done.Load() {
				return vendors.Progress{State: vendors.Succeeded, Task: task}
			}
			return vendors.Progress{State: vendors.Running, Task: task}
		}
		stopA := s.start("a")
		s.send("1")
		s.wait(5 * time.Second)
		stopB := s.start("b")
		defer stopB()
		stopA()
		done.Store(true)
		s.wait(30 * time.Second)
		expect(t, s.final("1"), "succeeded")
		if n := len(s.vendor.sent()); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}

func TestQuotaAndUrgency(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.start("a")
		defer stop()
		for i := range 100 {
			s.broker.store("sluice.commands.simcloud.prod.r1.restart.bulk", s.command("b"+string(rune('0'+i/10))+string(rune('0'+i%10)), data("priority", "bulk")))
		}
		s.wait(3 * time.Second)
		before := len(s.vendor.sent())
		s.broker.store("sluice.commands.simcloud.prod.r1.restart.urgent", s.command("u", data("priority", "urgent")))
		s.wait(20 * time.Second)
		calls := s.vendor.sent()
		if len(calls) != 101 {
			t.Fatalf("%d calls, want 101", len(calls))
		}
		for i := 20; i < len(calls); i++ {
			if d := calls[i].at.Sub(calls[i-20].at); d < time.Second {
				t.Errorf("21 calls within %v from call %d", d, i-20)
			}
		}
		for i, c := range calls {
			if c.instance == "i-u" && i > before+1 {
				t.Errorf("the urgent command was call %d after %d", i, before)
			}
		}
		if took := calls[100].at.Sub(calls[0].at); took > 5200*time.Millisecond {
			t.Errorf("101 calls took %v of virtual time; 97 %% of 20/s are wanted", took)
		}
	})
}
