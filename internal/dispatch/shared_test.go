package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// simMany is a cloud that shows and changes many instances in one call.
type simMany struct {
	simPort
	surveys atomic.Int64
	seen    atomic.Int64 // prepared from what a survey showed
	// calls are the mutations by their instances; judge says what each came to.
	together [][]string
	judge    func(instance string, n int) vendors.Verdict
	hidden   func(instance string) bool
}

func (v *simMany) Survey(ctx context.Context, ids []string) (map[string]vendors.Sighting, vendors.Verdict) {
	if err := v.hooks.Permit(ctx, "List"); err != nil {
		return nil, vendors.Verdict{Kind: vendors.Transient, Message: err.Error()}
	}
	v.surveys.Add(1)
	out := map[string]vendors.Sighting{}
	for _, id := range ids {
		if v.hidden == nil || !v.hidden(id) {
			out[id] = vendors.Sighting{At: time.Now()}
		}
	}
	time.Sleep(10 * time.Millisecond)
	return out, vendors.Verdict{Kind: vendors.Done}
}

func (v *simMany) Prepare(ctx context.Context, req vendors.Request) (vendors.Baseline, vendors.Verdict) {
	if req.Seen != nil {
		v.seen.Add(1)
		return vendors.Baseline(`{}`), vendors.Verdict{Kind: vendors.Done}
	}
	return v.simPort.Prepare(ctx, req)
}

func (v *simMany) ExecuteMany(ctx context.Context, reqs []vendors.Request, _ []vendors.Baseline, commit vendors.Commit) []vendors.Verdict {
	out := make([]vendors.Verdict, len(reqs))
	if err := commit(ctx, time.Now()); err != nil {
		for i := range out {
			out[i] = vendors.Verdict{Kind: vendors.Withheld, Err: err}
		}
		return out
	}
	var ids []string
	for i, r := range reqs {
		ids = append(ids, r.InstanceID)
		out[i] = v.judge(r.InstanceID, len(reqs))
	}
	v.exchanged(ctx, out[0])
	v.mu.Lock()
	v.together = append(v.together, ids)
	v.mu.Unlock()
	return out
}

// simulateMany is simulate with such a cloud at one mutation a second.
func simulateMany(t *testing.T, test func(*sim, *simMany)) {
	t.Helper()
	simulate(t, func(s *sim) {
		v := &simMany{judge: func(string, int) vendors.Verdict { return vendors.Verdict{Kind: vendors.Done} }}
		s.conf.Facts.Survey = 100
		s.conf.Facts.Coalesce = map[vendors.Operation]int{vendors.Restart: 50}
		s.conf.Quota = func(action string) float64 { return map[string]float64{"Restart": 1, "Look": 1, "List": 5}[action] }
		s.conf.MaxInFlight = 1000
		s.conf.Connect = func(_ string, hooks Hooks) (vendors.Vendor, error) {
			v.simPort = simPort{s.vendor, hooks}
			return v, nil
		}
		test(s, v)
	})
}

const bulkLane = "sluice.commands.simcloud.prod.r1.restart.bulk"

// sendBulk stores restarts in the bulk lane.
func (s *sim) sendBulk(n int, change ...func(map[string]any)) {
	for i := range n {
		s.broker.store(bulkLane, s.command(fmt.Sprint(i), append(change, data("priority", "bulk"))...))
	}
}

// Bulk work goes out fifty at a call, its look-ups a hundred at a time, and each
// command has its own record and result.
func TestBulkSharesCallsAndLookUps(t *testing.T) {
	simulateMany(t, func(s *sim, v *simMany) {
		stop := s.start("a")
		defer stop()
		s.sendBulk(200)
		s.wait(10 * time.Second)
		finals := s.finals()
		for i := range 200 {
			got := finals[fmt.Sprint(i)]
			if len(got) != 1 {
				t.Fatalf("command %d has %d final results, want 1: %+v", i, len(got), got)
			}
			expect(t, got[0], "succeeded")
			if rec, _ := s.record(fmt.Sprintf("tok-%d", i)); rec.State != ledger.Final || rec.Attempts != 1 || len(rec.History) != 1 {
				t.Errorf("record %d is %+v", i, rec)
			}
		}
		if n := len(v.together); n > 5 {
			t.Errorf("200 instances took %d calls", n)
		}
		if n := v.surveys.Load(); n > 6 || v.seen.Load() < 190 {
			t.Errorf("%d surveys, %d prepared from them", n, v.seen.Load())
		}
	})
}

// What is refused without a reason in a call for many is sent by itself, once, to
// learn the reason; the others of the call are not sent again.
func TestUnexplainedIsAskedAlone(t *testing.T) {
	simulateMany(t, func(s *sim, v *simMany) {
		v.judge = func(id string, _ int) vendors.Verdict {
			if id == "i-7" {
				return vendors.Verdict{Kind: vendors.Unexplained}
			}
			return vendors.Verdict{Kind: vendors.Done}
		}
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Refused, Reason: "instance_state", Message: "it is frozen"}
		}
		stop := s.start("a")
		defer stop()
		s.sendBulk(20)
		s.wait(20 * time.Second)
		expect(t, s.final("7"), "failed/instance_state")
		if sent := s.vendor.sent(); len(sent) != 1 || sent[0].instance != "i-7" {
			t.Errorf("sent alone: %+v", sent)
		}
		for _, call := range v.together[1:] {
			if slices.Contains(call, "i-7") {
				t.Error("it was sent with others again")
			}
		}
		expect(t, s.final("8"), "succeeded")
	})
}

// A lost answer leaves each command of the call to its own search for the truth.
func TestLostAnswerOfManyIsReconciledOneByOne(t *testing.T) {
	simulateMany(t, func(s *sim, v *simMany) {
		v.judge = func(string, int) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Ambiguous, Reason: "outcome_unknown"}
		}
		var looks atomic.Int64
		s.vendor.reconcile = func(vendors.Intent) vendors.Finding {
			if looks.Add(1)%2 == 0 {
				return vendors.Finding{Conclusion: vendors.Ran, Task: vendors.Task{ID: "t"}}
			}
			return vendors.Finding{Conclusion: vendors.Several, Evidence: "two of them"}
		}
		stop := s.start("a")
		defer stop()
		s.sendBulk(10)
		s.wait(time.Minute)
		said := map[string]int{}
		for i := range 10 {
			said[s.final(fmt.Sprint(i)).Status]++
		}
		if said["succeeded"]+said["indeterminate"] != 10 || said["succeeded"] == 0 || said["indeterminate"] == 0 {
			t.Errorf("told %v", said)
		}
		if len(v.together) > 2 {
			t.Errorf("%d calls for ten commands", len(v.together))
		}
	})
}

// A command that may not be sent after all keeps the others of its call back for
// that call only, and no trace of an attempt stays with them.
func TestExpiredMemberIsLeftOut(t *testing.T) {
	simulateMany(t, func(s *sim, v *simMany) {
		stop := s.start("a")
		defer stop()
		soon := time.Now().Add(1900 * time.Millisecond).UTC().Format(time.RFC3339Nano)
		s.sendBulk(50)
		for i := range 30 {
			id := fmt.Sprintf("x%d", i)
			s.broker.store(bulkLane, s.command(id, data("priority", "bulk"), attr("expirytime", soon)))
		}
		s.wait(20 * time.Second)
		ran := 0
		for i := range 30 {
			id := fmt.Sprintf("x%d", i)
			got := s.final(id)
			if strings.HasPrefix(said(got), "succeeded") {
				ran++
			} else {
				expect(t, got, "expired/expired")
			}
		}
		for i := range 50 {
			if got := s.final(fmt.Sprint(i)); got.Status != "succeeded" || got.Attempts != 1 {
				t.Errorf("command %d: %+v", i, got)
			}
		}
		total := 0
		for _, call := range v.together {
			total += len(call)
		}
		if total+len(s.vendor.sent()) != 50+ran {
			t.Errorf("%d instances were moved, %d commands ran", total, 50+ran)
		}
	})
}

// An urgent command does not wait behind a bulk one that holds its instance and has
// not begun.
func TestUrgentPassesBulkOnTheSameInstance(t *testing.T) {
	for _, many := range []bool{false, true} {
		simulateMany(t, func(s *sim, v *simMany) {
			if !many {
				s.conf.Facts.Coalesce = nil
			}
			stop := s.start("a")
			defer stop()
			s.sendBulk(120)
			s.wait(1500 * time.Millisecond)
			began := time.Now()
			s.broker.store("sluice.commands.simcloud.prod.r1.restart.urgent",
				s.command("alert", data("priority", "urgent"), data("instanceId", "i-90")))
			s.wait(4 * time.Second)
			if got := s.finals()["alert"]; len(got) != 1 {
				t.Fatalf("coalescing %v: the urgent command is not answered after 4 s", many)
			}
			for _, c := range s.vendor.sent() {
				if c.token == "tok-90" && c.at.After(began) && c.at.Before(began.Add(2*time.Second)) {
					t.Errorf("coalescing %v: the bulk command went first", many)
				}
			}
		})
	}
}

// What the survey does not show is looked up by itself.
func TestUnseenInstancesAreLookedUp(t *testing.T) {
	simulateMany(t, func(s *sim, v *simMany) {
		v.hidden = func(id string) bool { return id == "i-3" }
		s.vendor.prepare = func(r vendors.Request) vendors.Verdict {
			if r.InstanceID != "i-3" {
				t.Errorf("%s was looked up by itself", r.InstanceID)
			}
			return vendors.Verdict{Kind: vendors.Refused, Reason: "instance_not_found"}
		}
		stop := s.start("a")
		defer stop()
		s.sendBulk(20)
		s.wait(10 * time.Second)
		expect(t, s.final("3"), "failed/instance_not_found")
		expect(t, s.final("4"), "succeeded")
	})
}

// A lane whose first arrival nobody heard of is found by the survey.
func TestUnheardArrivalIsFound(t *testing.T) {
	simulate(t, func(s *sim) {
		stop := s.start("a")
		defer stop()
		s.wait(2 * time.Second)
		s.broker.mu.Lock()
		clear(s.broker.arrivals)
		s.broker.mu.Unlock()
		s.send("1")
		s.wait(time.Second)
		expect(t, s.final("1"), "succeeded")
	})
}

// Whoever takes over an account that was handed back goes on in the window of the
// owner before, without a gap and without a call too many.
func TestHandOverGoesOnInTheWindow(t *testing.T) {
	simulate(t, func(s *sim) {
		s.vendor.execute = func(vendors.Request) vendors.Verdict {
			time.Sleep(5 * time.Millisecond)
			return vendors.Verdict{Kind: vendors.Done}
		}
		for i := range 300 {
			s.send(fmt.Sprint(i))
		}
		stopA := s.start("a")
		s.wait(3 * time.Second)
		stopB := s.start("b")
		defer stopB()
		s.wait(time.Second)
		stopA()
		stopped := time.Now()
		s.wait(6 * time.Second)
		sent := s.vendor.sent()
		for i := 20; i < len(sent); i++ {
			if d := sent[i].at.Sub(sent[i-20].at); d < time.Second {
				t.Errorf("21 calls within %v", d)
			}
		}
		for i := 1; i < len(sent); i++ {
			if gap := sent[i].at.Sub(sent[i-1].at); sent[i].at.After(stopped.Add(-time.Second)) && gap > 200*time.Millisecond {
				t.Errorf("no call for %v around the hand-over", gap)
			}
		}
	})
}

// Whoever takes over an account that was handed back starts new work before all that was
// sent is known again, but not on an instance on which it was.
func TestHandOverDoesNotWaitForWhatWasSent(t *testing.T) {
	simulate(t, func(s *sim) {
		s.conf.MaxInFlight = 400
		s.vendor.execute = func(r vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{ID: r.ClientToken, InstanceID: r.InstanceID, AcceptedAt: time.Now()}}
		}
		s.vendor.poll = func(task vendors.Task) vendors.Progress {
			if time.Since(task.AcceptedAt) < 10*time.Second {
				return vendors.Progress{State: vendors.Running, Task: task}
			}
			return vendors.Progress{State: vendors.Succeeded, Task: task}
		}
		for i := range 400 {
			instance := i
			if i >= 250 && i < 255 {
				instance = i - 40 // which has work at the hand-over
			}
			s.send(fmt.Sprint(i), data("instanceId", fmt.Sprintf("i-%d", instance)))
		}
		stopA := s.start("a")
		s.wait(3 * time.Second)
		stopB := s.start("b")
		defer stopB()
		s.wait(9 * time.Second)
		s.ledger.takes = 4 * time.Millisecond // some 200 messages, each with some writes
		stopA()
		stopped := time.Now()
		s.wait(20 * time.Second)
		sent := s.vendor.sent()
		last := map[string]time.Time{}
		for i, c := range sent {
			around := i > 0 && c.at.After(stopped.Add(-time.Second)) && c.at.Before(stopped.Add(5*time.Second))
			if around && c.at.Sub(sent[i-1].at) > 200*time.Millisecond {
				t.Errorf("no call for %v until %v after the hand-over", c.at.Sub(sent[i-1].at), c.at.Sub(stopped))
			}
			if before, ok := last[c.instance]; ok && c.at.Sub(before) < 10*time.Second {
				t.Errorf("%s got another call after %v", c.instance, c.at.Sub(before))
			}
			last[c.instance] = c.at
		}
	})
}

// A survey looks at no more than can be used while it is fresh, but at a hundred anyway
// where the vendor shows as many.
func TestSurveyed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quota          float64
		survey, wanted int
	}{
		{20, 1000, 100}, {20, 50, 50}, {100, 1000, 150}, {100_000, 1000, 1000}, {0, 1000, 1000}, {100_000, 100, 100},
	} {
		conf := &Account{Quota: func(string) float64 { return c.quota }}
		conf.Facts.Survey = c.survey
		conf.Facts.Actions = map[vendors.Operation]string{vendors.Flush: "Flush"}
		if got := surveyed(conf); got != c.wanted {
			t.Errorf("at %g a second, of %d that are shown: %d, want %d", c.quota, c.survey, got, c.wanted)
		}
	}
}
