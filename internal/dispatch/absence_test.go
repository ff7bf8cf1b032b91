package dispatch

import (
	"testing"
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
