package simulation

import (
	"slices"

	"github.com/seed-7b870224/sluice/internal/events"
)

// answered checks P1: one outcome for every command, and nothing left over.
func (v *verdict) answered() {
	for subject, n := range v.w.waiting() {
		token := ""
		for _, m := range v.w.commands[subject].all {
			if m == nil {
				continue
			}
			for _, q := range v.w.asked {
				if string(q.body) == string(m.data) {
					token = q.token
				}
			}
		}
		v.breaks("P1", token, "%d command(s) were never settled on %s", n, subject)
	}
	for _, q := range v.w.asked {
		if q.deadLetter {
			continue
		}
		finals := v.book.finals[q.key()]
		if len(finals) == 0 {
			v.breaks("P1", q.token, "command %s has no final result", q.id)
			continue
		}
		if q.dry {
			continue // it has no record: delivered again, it looks again
		}
		for _, f := range finals[1:] {
			if v.lateCopy(q, finals[0], f) {
				v.w.tally["(a duplicate's answer and, after its time, expired)"]++
				break
			}
			if f.id != finals[0].id || f.said() != finals[0].said() || f.duplicate != finals[0].duplicate {
				v.breaks("P1", q.token, "command %s has different final results%s: %s (%s) and %s (%s)", q.id, q.way(), finals[0].id, finals[0].said(), f.id, f.said())
				break
			}
		}
		v.sameStory(q, finals[0])
	}
}

// lateCopy is the stated limit of P1: of a duplicate that was answered, or a reused
// token that was refused, another copy that is first delivered after its own time is
// called expired, as the ledger keeps no record of those.
func (v *verdict) lateCopy(q *asked, a, b final) bool {
	if b.status != events.Expired {
		a, b = b, a
	}
	return q.copies > 1 && b.status == events.Expired && !b.at.Before(q.deadline()) && (a.duplicate || a.code == events.ReasonTokenReused)
}

// sameStory checks that all commands of one token are told its one outcome, and
// that a refusal has a reason of its own.
func (v *verdict) sameStory(q *asked, f final) {
	if q.bad != "" || q.dry {
		return // nothingSilent looks at those
	}
	rec := v.book.record[q.token].last()
	holds := rec != nil && rec.firstEvent() == q.key()
	// A claim that reached the broker late, after all was over, is an empty hold.
	begun := holds && (rec.Attempts > 0 || rec.Outcome != nil)
	switch f.status {
	case events.Expired:
		if f.at.Before(q.deadline()) {
			v.breaks("P1", q.token, "command %s was called expired at %v, before its time at %v", q.id, f.at.Sub(v.w.began), q.deadline().Sub(v.w.began))
		}
		if begun {
			v.breaks("P1", q.token, "command %s holds the token's record and was called expired", q.id)
		}
	case events.Rejected:
		if f.code != events.ReasonTokenReused || !v.differs(q) {
			v.breaks("P1", q.token, "command %s was refused without cause: %s", q.id, f.said())
		}
	default:
		v.outcome(q, f, rec, holds)
	}
}

// differs reports whether another command asks for other work under this token.
func (v *verdict) differs(q *asked) bool {
	return slices.ContainsFunc(v.book.token[q.token], func(o *asked) bool { return o.work() != q.work() })
}

func (v *verdict) outcome(q *asked, f final, rec *version, holds bool) {
	if rec == nil || rec.Outcome == nil {
		v.breaks("P1", q.token, "command %s was told %s, and the ledger has no outcome", q.id, f.said())
		return
	}
	told := final{status: rec.Outcome.Status, code: rec.Outcome.Code}
	if told.said() != f.said() {
		v.breaks("P1", q.token, "command %s was told %s, the ledger says %s", q.id, f.said(), told.said())
	}
	if f.duplicate == holds {
		v.breaks("P1", q.token, "command %s holds the record: %t, and its result says duplicate: %t", q.id, holds, f.duplicate)
	}
}

// truthful checks that outcomes agree with what the clouds did: part of P1 and
// P2, as a wrong outcome invites a person to send the work again.
func (v *verdict) truthful() {
	for token, sends := range v.book.sends {
		effects := 0
		for _, s := range sends {
			if s.effect {
				effects++
			}
		}
		rec := v.book.record[token].last()
		if rec == nil || rec.Outcome == nil {
			v.breaks("P1", token, "a call was made, and the ledger has no outcome")
			continue
		}
		ran := rec.Outcome.Status == events.Succeeded || rec.Outcome.Code == events.ReasonTaskFailed || rec.Outcome.Code == events.ReasonTrackTimeout
		if ran != (effects > 0) && rec.Outcome.Status != events.Indeterminate {
			v.breaks("P2", token, "the outcome is %s/%s, but the vendor acted %d times", rec.Outcome.Status, rec.Outcome.Code, effects)
		}
	}
}
