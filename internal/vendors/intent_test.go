package vendors

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAbsenceProves(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	cases := []struct {
		name     string
		lapsed   bool
		looks    int
		since    time.Duration
		patience time.Duration
		want     bool
	}{
		{"long and often enough", true, 2, time.Minute, 0, true},
		{"the signature lives", false, 99, time.Hour, 0, false},
		{"too few looks", true, 1, time.Hour, 0, false},
		{"too short", true, 99, time.Minute - time.Nanosecond, 0, false},
		{"as patient as the account says", true, 2, time.Second, time.Second, true},
		{"less patient than the account says", true, 2, time.Minute, 2 * time.Minute, false},
	}
	for _, c := range cases {
		synctest.Test(t, func(t *testing.T) {
			i := Intent{Lapsed: c.lapsed, LooksClear: c.looks, ClearSince: ago(c.since)}
			if got := i.AbsenceProves(c.patience); got != c.want {
				t.Errorf("%s: %t", c.name, got)
			}
		})
	}
	if (Intent{Lapsed: true, LooksClear: 99}).AbsenceProves(0) {
		t.Error("an absence of unknown length proves")
	}
}
