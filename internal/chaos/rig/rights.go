package rig

import (
	"slices"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// mutations judges the mutations that reached the clouds.
func (a Audit) mutations(t *Tally) {
	if a.Clouds == nil {
		return
	}
	tokens := a.tokensOf()
	for _, e := range a.Clouds.Effects().Effects {
		if most := len(tokens[target{e.Instance, string(e.Operation)}]); e.Count > most {
			t.WithoutRight += e.Count - most
			t.problem("%s of %s took effect %d times for %d token(s)", e.Operation, e.Instance, e.Count, most)
		}
	}
	v := a.Clouds.Effects().Violations
	if v.ConcurrentEffects > 0 || v.OverlappingRequests > 0 {
		t.WithoutRight += int(v.ConcurrentEffects + v.OverlappingRequests)
		t.problem("%d mutations took effect while other work ran, %d arrived while another was open", v.ConcurrentEffects, v.OverlappingRequests)
	}
	if a.Shared {
		return
	}
	for _, instance := range a.instances() {
		a.repeats(t, instance)
	}
}

// target is an operation on an instance, in the clouds' words.
type target struct{ instance, operation string }

// tokensOf collects the tokens that asked for each target. The clouds name soft
// restarts like the events do.
func (a Audit) tokensOf() map[target]map[string]bool {
	out := map[target]map[string]bool{}
	for _, s := range a.Sent {
		at := target{s.Command.InstanceID, s.Command.Operation}
		if out[at] == nil {
			out[at] = map[string]bool{}
		}
		out[at][s.Command.Key] = true
	}
	return out
}

func (a Audit) instances() []string {
	var out []string
	for _, s := range a.Sent {
		out = append(out, s.Command.InstanceID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// repeats finds calls for one instance's one token that were sent although an
// earlier one had taken effect, or could still.
func (a Audit) repeats(t *Tally, instance string) {
	calls := a.Clouds.Mutations(instance)
	for i, c := range calls {
		for _, earlier := range calls[:i] {
			if why := a.forbids(earlier, c); why != "" {
				t.WithoutRight++
				t.problem("%s of %s was sent again: the call of %s %s", c.Operation, instance, earlier.Time.Format("15:04:05.000"), why)
				break
			}
		}
	}
}

// forbids says why a later call may not follow an earlier one, or nothing.
func (a Audit) forbids(earlier, later emulator.Call) string {
	switch {
	case lapsed(later):
		// A copy that was frozen on its way and came too late: it was sent in time.
		return ""
	case earlier.Effect:
		return "had taken effect (" + earlier.Outcome + ")"
	case unknown(earlier) && later.Time.Before(earlier.Time.Add(a.Clouds.life(earlier.Vendor))):
		return "had no answer (" + earlier.Outcome + ") and its signature still lived"
	}
	return ""
}

// lapsed reports whether the clouds refused the call for its signature. All keys
// of the scenarios are right, so it was too old.
func lapsed(c emulator.Call) bool {
	switch c.Outcome {
	case "AuthFailure.SignatureExpire", "4500", "APIGW.0301", "InvalidTimestamp":
		return true
	}
	return false
}

// unknown reports whether the caller could not tell what its call did.
func unknown(c emulator.Call) bool {
	switch emulator.FaultKind(c.Outcome) {
	case emulator.OutcomePending, emulator.FaultHang, emulator.FaultLateEffect, emulator.FaultDropBefore, emulator.FaultDropAfter,
		emulator.FaultStatusBefore, emulator.FaultStatusAfter, emulator.FaultGarbageBefore, emulator.FaultGarbageAfter,
		emulator.FaultEmptyBefore, emulator.FaultEmptyAfter:
		return true
	}
	return false
}
