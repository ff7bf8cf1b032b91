package volcengine

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestFacts(t *testing.T) {
	t.Parallel()
	f := Facts()
	operations := []vendors.Operation{vendors.Restart, vendors.Flush, vendors.Restore}
	for _, op := range operations {
		if q, ok := f.Quotas[f.Actions[op]]; !f.Supports(op) || !ok || q.Read {
			t.Errorf("%s has action %q with quota %+v", op, f.Actions[op], q)
		}
	}
	if len(f.Actions) != len(operations) || len(f.Quotas) != 7 {
		t.Errorf("%d operations and %d quotas", len(f.Actions), len(f.Quotas))
	}
	for action, q := range f.Quotas {
		want := map[bool]float64{false: 20, true: 20}[q.Read]
		if q.PerSecond != want || q.Source == "" {
			t.Errorf("%s has quota %+v, want %v per second", action, q, want)
		}
	}
	if f.Name != "volcengine" || f.PointInTime != true || f.NeedsProject != false || f.Password != vendors.PasswordNone || f.SignatureLife != 15*time.Minute {
		t.Errorf("facts %+v", f)
	}
	if len(f.Coalesce) != 0 || f.Survey < 50 || f.PollTogether < 1000 {
		t.Errorf("coalesced %v, surveyed %d, polled %d", f.Coalesce, f.Survey, f.PollTogether)
	}
	// Facts are handed out, so that a caller's change must not reach the next.
	delete(f.Actions, vendors.Restart)
	if !Facts().Supports(vendors.Restart) {
		t.Error("a change of one copy shows in another")
	}
}
