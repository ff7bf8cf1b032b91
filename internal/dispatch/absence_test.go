package dispatch

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Only looks in a row that began after the signature had lapsed count: a request
// may arrive after a look that found nothing, as long as its signature lives.
func TestLooksThatCount(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	nothing, other := vendors.Finding{Clear: true}, vendors.Finding{}
	var intent vendors.Intent
	for i, step := range []struct {
		lapsed bool
		found  vendors.Finding
		looks  int
		since  int // the step whose look was the first of those that count
	}{
		{false, nothing, 0, -1},
		{false, nothing, 0, -1},
		{true, nothing, 1, 2},
		{true, nothing, 2, 2},
		{true, other, 0, -1},
		{true, nothing, 1, 5},
		{true, nothing, 2, 5},
	} {
		intent.Lapsed = step.lapsed
		count(&intent, step.found, start.Add(time.Duration(i)*time.Second))
		var since time.Time
		if step.since >= 0 {
			since = start.Add(time.Duration(step.since) * time.Second)
		}
		if intent.LooksClear != step.looks || !intent.ClearSince.Equal(since) {
			t.Errorf("step %d: %d looks since %v, want %d since %v", i, intent.LooksClear, intent.ClearSince, step.looks, since)
		}
	}
}

// A person is told what the looks compared, also where the last of them failed;
// and no look is begun that has no time left to be answered.
func TestWhatWasComparedIsTold(t *testing.T) {
	simulate(t, func(s *sim) {
		var lapsed bool
		var last time.Time
		s.vendor.execute = func(vendors.Request) vendors.Verdict { return vendors.Verdict{Kind: vendors.Ambiguous} }
		s.vendor.reconcile = func(i vendors.Intent) vendors.Finding {
			last = time.Now()
			if lapsed = i.Lapsed; lapsed {
				return vendors.Finding{Evidence: "not answered", Verdict: vendors.Verdict{Kind: vendors.Transient}}
			}
			return vendors.Finding{Clear: true, Evidence: "it was so and is so"}
		}
		stop := s.start("a")
		defer stop()
		s.send("1")
		s.wait(20 * time.Minute)
		got := s.final("1")
		expect(t, got, "indeterminate/outcome_unknown")
		if !lapsed || !strings.HasSuffix(got.Reason.Message, "it was so and is so") {
			t.Errorf("lapsed %t: %s", lapsed, got.Reason.Message)
		}
		rec, _ := s.record("tok-1")
		end := rec.Last().SignedAt.Add(s.conf.Facts.SignatureLife + Timing{}.withDefaults().GiveUpAfter)
		if !last.Before(end) {
			t.Errorf("looked at %v, though the search ended at %v", last, end)
		}
		if wait := got.Times.Finished.Sub(end); wait > 10*time.Second {
			t.Errorf("answered %v after the end of the search", wait)
		}
	})
}

func TestWeigh(t *testing.T) {
	t.Parallel()
	const failed, done = vendors.Transient, vendors.Done
	finding := func(evidence string, kind vendors.Kind) vendors.Finding {
		return vendors.Finding{Evidence: evidence, Verdict: vendors.Verdict{Kind: kind}}
	}
	for _, c := range []struct {
		before, look vendors.Finding
		want         string
	}{
		{finding("a", failed), finding("b", failed), "b"},
		{finding("a", failed), finding("b", done), "b"},
		{finding("a", done), finding("b", done), "b"},
		{finding("a", 0), finding("b", failed), "a"},
		{finding("a", done), finding("b", failed), "a"},
		{finding("a", failed), finding("", failed), "a"},
		{finding("a", done), vendors.Finding{Conclusion: vendors.RanError, Evidence: "b", Verdict: vendors.Verdict{Kind: vendors.Refused}}, "b"},
	} {
		if got := weigh(c.before, c.look); got.Evidence != c.want || got.Conclusion != c.look.Conclusion {
			t.Errorf("%+v then %+v: %+v", c.before, c.look, got)
		}
	}
}

// A search ends inside the contract's two minutes after the signature's life. Where
// that is over already, since no replica was up, there is still time for the looks
// that prove something.
func TestSearchThatBeginsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &account{conf: &Account{Facts: vendors.Facts{SignatureLife: 5 * time.Minute}}, timing: Timing{}.withDefaults()}
		signed := time.Now()
		for _, c := range []struct{ after, end time.Duration }{
			{10 * time.Second, 410 * time.Second},
			{325 * time.Second, 410 * time.Second},
			{335 * time.Second, 410 * time.Second},
			{409 * time.Second, 410 * time.Second},
			{time.Hour, time.Hour + 82500*time.Millisecond},
		} {
			time.Sleep(time.Until(signed.Add(c.after)))
			if got := a.search(signed).end.Sub(signed); got != c.end {
				t.Errorf("taken over after %v, the search ends after %v, want %v", c.after, got, c.end)
			}
		}
	})
}
