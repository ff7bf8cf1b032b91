package dispatch

import (
	"cmp"
	"time"
)

// Timing bounds the search for the truth about a lost answer.
type Timing struct {
	// LapseMargin is added to a signature's life before it counts as lapsed:
	// clocks differ. 30 s.
	LapseMargin time.Duration
	// GiveUpAfter is how long after the life of the signature a lost answer is
	// looked for; the contract allows two minutes. 110 s.
	GiveUpAfter time.Duration
	// FirstLook and MostLook bound the growing pause between looks while the
	// signature lives: 500 ms and 15 s. LateLook is the pause after: 10 s.
	FirstLook, MostLook, LateLook time.Duration
}

// withDefaults fills the fields that are zero.
func (t Timing) withDefaults() Timing {
	return Timing{
		LapseMargin: cmp.Or(t.LapseMargin, 30*time.Second),
		GiveUpAfter: cmp.Or(t.GiveUpAfter, 110*time.Second),
		FirstLook:   cmp.Or(t.FirstLook, 500*time.Millisecond),
		MostLook:    cmp.Or(t.MostLook, 15*time.Second),
		LateLook:    cmp.Or(t.LateLook, 10*time.Second),
	}
}

// search is the time in which one lost answer is looked for.
type search struct {
	Timing
	// lapse is when the signature ends, end when the search does.
	lapse, end time.Time
}

// search bounds the search for the answer to a call signed at a time. One that
// begins after its end, since no replica was up, still looks long enough for
// absence to prove something; before that the contract's limit stands.
func (a *account) search(signedAt time.Time) search {
	s := search{Timing: a.timing, lapse: signedAt.Add(a.conf.Facts.SignatureLife)}
	s.end = s.lapse.Add(s.GiveUpAfter)
	if now := time.Now(); now.After(s.end) {
		s.end = now.Add(s.GiveUpAfter * 3 / 4)
	}
	return s
}

// lapsed reports whether no copy of the request can take effect any more.
func (s search) lapsed(now time.Time) bool { return now.After(s.lapse.Add(s.LapseMargin)) }

// untilLook is the pause before the next look. A look falls on the moment from
// which absence proves something.
func (s search) untilLook(pause time.Duration) time.Duration {
	proof := time.Until(s.lapse.Add(s.LapseMargin)) + time.Millisecond
	if proof > 0 {
		return min(pause, proof)
	}
	return min(pause, s.LateLook)
}
