package simulation

import (
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// once checks P2: nothing is sent again without a right to.
func (v *verdict) once() {
	for token, sends := range v.book.sends {
		effects := 0
		for i, s := range sends {
			if s.effect {
				effects++
			}
			for _, earlier := range sends[:i] {
				if !v.cleared(earlier, s) {
					v.breaks("P2", token, "a mutation was sent again without right: by %s at %v, after one of %s that may have run", s.replica, s.left.Sub(v.w.began), earlier.replica)
					break
				}
			}
		}
		if effects > 1 {
			v.breaks("P2", token, "the vendor acted %d times", effects)
		}
	}
}

// cleared reports whether, when s left, the earlier call was known not to have
// run: by its answer, or by a look afterwards.
func (v *verdict) cleared(earlier, s *send) bool {
	if !earlier.answered.IsZero() && earlier.answered.Before(s.left) && harmless(earlier.verdict.Kind) {
		return true
	}
	for _, f := range v.w.findings {
		if f.token == s.token && f.conclusion == vendors.NotRun && f.at.After(earlier.left) && f.at.Before(s.left) {
			return true
		}
	}
	return false
}

// harmless reports answers that say that nothing ran.
func harmless(k vendors.Kind) bool {
	switch k {
	case vendors.Throttled, vendors.Transient, vendors.Busy, vendors.Refused, vendors.Unauthorized, vendors.Unexplained:
		return true
	}
	return false
}

// intentFirst checks P3: intent recorded, lease held.
func (v *verdict) intentFirst() {
	for token, sends := range v.book.sends {
		for _, s := range sends {
			if !v.intended(s) {
				v.breaks("P3", token, "a call of %s left at %v without an intent of its own in the ledger", s.replica, s.left.Sub(v.w.began))
			}
			if s.owner != s.replica {
				v.breaks("P3", token, "when %s agreed to a call at %v, the account's lease was %q's", s.replica, s.agreed.Sub(v.w.began), s.owner)
			}
		}
	}
}

func (v *verdict) intended(s *send) bool {
	for _, r := range v.book.record[s.token].versions {
		last := r.Last()
		if r.State == ledger.Sending && last != nil && last.SignedAt.Equal(s.signedAt) && last.Replica == s.replica &&
			r.by == s.replica && !r.at.After(s.agreed) {
			return true
		}
	}
	return false
}
