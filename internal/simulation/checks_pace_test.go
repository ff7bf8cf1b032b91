package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// quota checks P4 at the vendor: in no sliding second more calls than the quota.
// Calls that were held up on their way cannot be spaced by anybody and are left
// out: those of a paused process, and those that land after their client has
// given them up.
func (v *verdict) quota() {
	for _, c := range v.w.clouds {
		lines := map[string][]arrival{}
		for _, a := range c.calls {
			if !a.exempt {
				key := a.region + " " + a.action
				lines[key] = append(lines[key], a)
			}
		}
		for key, calls := range lines {
			slices.SortFunc(calls, func(a, b arrival) int { return a.at.Compare(b.at) })
			n := int(c.conf.limit(calls[0].action))
			for i := n; i < len(calls); i++ {
				if d := calls[i].at.Sub(calls[i-n].at); d < time.Second {
					v.breaks("P4", "", "%s %s got %d calls in %v, its quota is %d/s:%s", c.conf.name, key, n+1, d, n, v.calls(calls[i-n:i+1]))
					break
				}
			}
		}
	}
}

// calls lists calls for a person.
func (v *verdict) calls(all []arrival) string {
	var out strings.Builder
	for _, a := range all {
		fmt.Fprintf(&out, "\n  %14v by %s: %s", a.at.Sub(v.w.began), a.by, a.why)
	}
	return out.String()
}

// oneAtATime checks P5: no mutation lands on an instance while an earlier one of
// ours is unresolved there.
func (v *verdict) oneAtATime() {
	byInstance := map[string][]*send{}
	for _, s := range v.w.sends {
		key := s.account + "/" + s.region + "/" + s.instance
		byInstance[key] = append(byInstance[key], s)
	}
	for _, sends := range byInstance {
		for i, s := range sends {
			if s.landed.IsZero() {
				continue
			}
			for _, earlier := range sends[:i] {
				if earlier.token != s.token && v.resolved(earlier).After(s.landed) {
					v.breaks("P5", s.token, "a mutation of %s landed on %s at %v while one of token %s was unresolved there\n%s", s.replica, s.instance,
						s.landed.Sub(v.w.began), earlier.token, v.trace(earlier.token))
					break
				}
			}
		}
	}
}

// resolved is when it was known that the call would change nothing any more on
// its instance.
func (v *verdict) resolved(s *send) time.Time {
	end := v.book.record[s.token].ended
	if end.IsZero() {
		end = v.w.began.Add(1000 * time.Hour)
	}
	earlier := func(t time.Time) {
		if !t.IsZero() && t.After(s.left) && t.Before(end) {
			end = t
		}
	}
	if harmless(s.verdict.Kind) || s.verdict.Kind == vendors.Done {
		earlier(s.answered)
	}
	for _, f := range v.w.findings {
		if f.token == s.token && f.conclusion == vendors.NotRun {
			earlier(f.at)
		}
	}
	return end
}

// nothingSilent checks P8: bad input is answered or kept as a dead letter, once.
func (v *verdict) nothingSilent() {
	letters := map[string][]answer{}
	for _, a := range v.w.dead.all {
		letters[string(a.Data)] = append(letters[string(a.Data)], a)
	}
	for _, q := range v.w.asked {
		switch {
		case q.deadLetter:
			v.deadLetter(q, letters[string(q.body)])
		case q.bad != "":
			for _, f := range v.book.finals[q.key()] {
				if f.status != "rejected" || f.code != q.bad {
					v.breaks("P8", q.token, "command %s is wrong (%s) and was told %s", q.id, q.bad, f.said())
				}
			}
		case q.dry:
			for _, f := range v.book.finals[q.key()] {
				if !f.dry && f.status != "expired" {
					v.breaks("P8", q.token, "dry run %s was told %s", q.id, f.said())
				}
			}
		}
	}
}

// deadLetter looks for the copies of one message that is no event: as many ids
// as were stored, each at least once.
func (v *verdict) deadLetter(q *asked, got []answer) {
	ids := map[string]bool{}
	for _, a := range got {
		ids[a.ID] = true
	}
	if len(ids) != q.copies {
		v.breaks("P8", q.token, "message %s is no event, was stored %d times, and has %d dead letters", q.id, q.copies, len(ids))
	}
}
