package emulator

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"
)

// armed is a fault that is set.
type armed struct {
	Fault
	order int
	// cleared closes when the fault is taken away.
	cleared chan struct{}
}

// faultSet holds the faults that are set.
type faultSet struct {
	mu    sync.Mutex
	next  int
	armed map[string]*armed
}

func newFaultSet() *faultSet { return &faultSet{armed: map[string]*armed{}} }

// set adds a fault and returns its id.
func (s *faultSet) set(f Fault) (string, error) {
	if err := f.check(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	if f.ID == "" {
		f.ID = "fault-" + strconv.Itoa(s.next)
	}
	if old := s.armed[f.ID]; old != nil {
		close(old.cleared)
	}
	f.Applied = 0
	s.armed[f.ID] = &armed{Fault: f, order: s.next, cleared: make(chan struct{})}
	return f.ID, nil
}

// clear takes one fault away, or all if the id is empty. It reports whether
// there was one.
func (s *faultSet) clear(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for name, a := range s.armed {
		if id == "" || id == name {
			close(a.cleared)
			delete(s.armed, name)
			found = true
		}
	}
	return found
}

// list copies the faults in the order in which they were set.
func (s *faultSet) list() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Fault{}
	for _, a := range s.inOrder() {
		out = append(out, a.Fault)
	}
	return out
}

func (s *faultSet) inOrder() []*armed {
	return slices.SortedFunc(maps.Values(s.armed), func(a, b *armed) int { return a.order - b.order })
}

// strike is what goes wrong with one call.
type strike struct {
	latency time.Duration
	// fault is nil if nothing but latency strikes.
	fault   *Fault
	cleared <-chan struct{}
}

// draw picks the faults that strike a call: every latency, and the first of the
// other kinds.
func (s *faultSet) draw(x *exchange) strike {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit strike
	if len(s.armed) == 0 {
		return hit
	}
	for _, a := range s.inOrder() {
		delays := a.Kind == FaultLatency
		if !delays && hit.fault != nil || !a.match(x) || !a.luck() {
			continue
		}
		a.Applied++
		if delays {
			hit.latency += a.Delay
			continue
		}
		f := a.Fault
		hit.fault, hit.cleared = &f, a.cleared
	}
	return hit
}

// luck decides whether a matching call is struck.
func (a *armed) luck() bool {
	if a.Times > 0 && a.Applied >= a.Times {
		return false
	}
	return a.Probability == 0 || rand.Float64() < a.Probability
}
