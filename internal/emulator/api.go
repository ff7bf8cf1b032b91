package emulator

import (
	"errors"
	"fmt"
	"strings"
)

// Calls returns the recorded calls that match, oldest first.
func (s *Server) Calls(f Filter) []Call { return s.calls.list(f) }

// Paces returns how fast the calls of each vendor, key, region and action came.
func (s *Server) Paces() []Pace { return s.pace.report(s.settings.Load().quotas) }

// MaxPerSecond is the most calls that arrived in any sliding second for one
// key, over all keys that match. Empty arguments match everything; calls of
// different keys are never added up.
func (s *Server) MaxPerSecond(v Vendor, key, region, action string) int {
	most := 0
	for _, p := range s.Paces() {
		if (v == "" || p.Vendor == v) && (key == "" || p.Key == key) && (region == "" || p.Region == region) &&
			(action == "" || p.Action == action) {
			most = max(most, p.MaxPerSecond)
		}
	}
	return most
}

// Effects tells what mutations did. Instances of tencent-crs count as tencent.
func (s *Server) Effects() EffectReport {
	return EffectReport{s.store.effectReport(), s.violations.report()}
}

// SetFault makes something go wrong and returns the fault's id.
func (s *Server) SetFault(f Fault) (string, error) {
	id, err := s.faults.set(f)
	if err != nil {
		return "", fmt.Errorf("emulator: %w", err)
	}
	return id, nil
}

// Faults returns the faults that are set, with how often each struck.
func (s *Server) Faults() []Fault { return s.faults.list() }

// ClearFault takes one fault away and reports whether there was one.
func (s *Server) ClearFault(id string) bool { return id != "" && s.faults.clear(id) }

// ClearFaults takes all faults away. Calls that hang go on.
func (s *Server) ClearFaults() { s.faults.clear("") }

// SetInstance replaces the settings of an instance, making it if need be.
func (s *Server) SetInstance(v Vendor, id string, c InstanceSettings) error {
	switch {
	case !v.known():
		return fmt.Errorf("emulator: vendor %q is none of %s", v, strings.Trim(fmt.Sprint(vendors), "[]"))
	case !wellFormed(id):
		return fmt.Errorf("emulator: instance id %q is not 3 to 64 letters, digits and dashes", id)
	case c.Class != "" && c.Class != classStandalone:
		return fmt.Errorf("emulator: class %q is neither empty nor %q", c.Class, classStandalone)
	}
	s.store.set(v, id, c, s.opts.Now())
	return nil
}

// Quirks returns the quirks in force.
func (s *Server) Quirks() Quirks { return s.settings.Load().quirks }

// SetQuirks replaces all quirks; empty fields take the default.
func (s *Server) SetQuirks(q Quirks) error {
	return s.change(func(set *settings) error { set.quirks = q.withDefaults(); return nil })
}

// SetTransitions replaces the durations of operations; zero fields take the
// default.
func (s *Server) SetTransitions(t Transitions) error {
	return s.change(func(set *settings) error { set.transitions = t.withDefaults(); return nil })
}

// SetQuotas replaces the limits.
func (s *Server) SetQuotas(q Quotas) error {
	return s.change(func(set *settings) error { set.quotas = q.withDefaults(); return nil })
}

// ClearCalls forgets the recorded calls and the pace, and keeps the instances.
func (s *Server) ClearCalls() {
	s.calls.clear()
	s.pace.clear()
}

// Reset goes back to the state after New: no instances, calls or faults, and
// the settings of the options.
func (s *Server) Reset() {
	s.ClearFaults()
	s.ClearCalls()
	s.store.clear()
	s.violations.clear()
	err := errors.Join(s.SetQuirks(s.opts.Quirks), s.SetTransitions(s.opts.Transitions), s.SetQuotas(s.opts.Quotas))
	if err != nil {
		panic("emulator: " + err.Error()) // New has checked them
	}
	for _, c := range s.clouds {
		if r, ok := c.(interface{ reset() }); ok {
			r.reset()
		}
	}
}
