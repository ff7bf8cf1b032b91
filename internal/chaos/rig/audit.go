package rig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-7b870224/sluice/internal/events"
)

// Audit is what was asked, answered and done, side by side.
type Audit struct {
	Sent    []Sent
	Results []Result
	Clouds  *Clouds
	// Shared: the scenario sends several tokens to one instance, so that only the
	// number of effects and the clouds' own count of violations is judged.
	Shared bool
}

// Tally is what an audit found.
type Tally struct {
	// Commands counts those that were acknowledged, Finals those with a final
	// result.
	Commands, Finals int
	// Lost have none, Twice have two different ones.
	Lost, Twice int
	// WithoutRight counts mutations that may not have been sent.
	WithoutRight int
	// Statuses counts the final results of acknowledged commands.
	Statuses map[string]int
	// Problems says what is behind Lost, Twice and WithoutRight.
	Problems []string
}

// eventKey identifies a command event.
type eventKey struct{ source, id string }

// Tally compares.
func (a Audit) Tally() Tally {
	t := Tally{Statuses: map[string]int{}}
	finals := a.finals()
	for _, s := range a.Sent {
		if !s.Acknowledged {
			continue
		}
		t.Commands++
		of := finals[eventKey{s.Command.Event.Source, s.Command.Event.ID}]
		if len(of) == 0 {
			t.Lost++
			t.problem("lost: %s (%s of %s)", s.Command.Event.ID, s.Command.Operation, s.Command.InstanceID)
			continue
		}
		t.Finals++
		t.Statuses[of[0].Data.Status]++
		if words := outcomes(of); len(words) > 1 {
			t.Twice++
			t.problem("answered twice: %s: %s", s.Command.Event.ID, strings.Join(words, " and "))
		}
	}
	t.tokens(finals, a.Sent)
	a.mutations(&t)
	return t
}

// Answered reports whether every acknowledged command has a final result.
func (a Audit) Answered() bool {
	finals := a.finals()
	for _, s := range a.Sent {
		if s.Acknowledged && len(finals[eventKey{s.Command.Event.Source, s.Command.Event.ID}]) == 0 {
			return false
		}
	}
	return true
}

func (t *Tally) problem(format string, args ...any) {
	t.Problems = append(t.Problems, fmt.Sprintf(format, args...))
}

// finals groups the final results by the command event that they answer.
func (a Audit) finals() map[eventKey][]Result {
	out := map[eventKey][]Result{}
	for _, r := range a.Results {
		if r.Data.Final {
			key := eventKey{r.Data.Command.Source, r.Data.Command.ID}
			out[key] = append(out[key], r)
		}
	}
	return out
}

// outcomes lists the different answers among results; repeats say the same under
// the same id.
func outcomes(of []Result) []string {
	seen := map[string]bool{}
	for _, r := range of {
		seen[fmt.Sprintf("%s %s (id %s, attempts %d, duplicate %t)", r.Data.Status, reason(r), r.ID, r.Data.Attempts, r.Data.Duplicate)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func reason(r Result) string {
	if r.Data.Reason == nil {
		return "-"
	}
	return r.Data.Reason.Code
}

// tokens finds tokens of which different commands were told different outcomes.
// Refusals take no token and say nothing about it.
func (t *Tally) tokens(finals map[eventKey][]Result, sent []Sent) {
	told := map[string]map[string]bool{}
	for _, s := range sent {
		for _, r := range finals[eventKey{s.Command.Event.Source, s.Command.Event.ID}] {
			if r.Data.Status == events.Rejected || r.Data.Status == events.Expired {
				continue
			}
			if told[s.Command.Key] == nil {
				told[s.Command.Key] = map[string]bool{}
			}
			told[s.Command.Key][r.Data.Status+" "+reason(r)] = true
		}
	}
	for key, words := range told {
		if len(words) > 1 {
			t.Twice++
			t.problem("one token, different outcomes: %s: %s", key, strings.Join(slices.Sorted(maps.Keys(words)), " and "))
		}
	}
}
