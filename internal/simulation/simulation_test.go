package simulation

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	commands = flag.Int("sim.commands", 0, "how many commands to simulate at least; 0 means 100,000, a tenth of it under -race or -short")
	oneSeed  = flag.Uint64("sim.seed", 0, "simulate only the schedule of this seed")
	times    = flag.Int("sim.times", 40, "how often at most a single seed is simulated, until it fails: it fixes the schedule and every fault, but not which goroutine is first at one and the same moment")
	fromSeed = flag.Uint64("sim.from", 1, "the first seed")
	lasting  = flag.Duration("sim.for", 0, "simulate for this long, however many commands that makes")
	mutant   = flag.String("sim.mutant", "", "stop once one of these promises is seen broken; for engines that are broken on purpose")
	verbose  = flag.Bool("sim.log", false, "print the engines' logs and, at the end, every command's history")
)

// TestSchedules runs random schedules and checks every promise after each.
func TestSchedules(t *testing.T) {
	sum := &summary{began: time.Now(), faults: map[string]int{}, results: map[string]int{}}
	t.Cleanup(func() { sum.print(t) })
	if *oneSeed != 0 {
		for n := range *times {
			if sum.simulate(t, *oneSeed); t.Failed() {
				t.Logf("failed in run %d of this seed", n+1)
				break
			}
		}
		return
	}
	most := want()
	var next, failed atomic.Uint64
	next.Store(*fromSeed)
	for n := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprintf("worker=%d", n), func(t *testing.T) {
			t.Parallel()
			for sum.more(most) && failed.Load() < mostFailures() {
				seed := next.Add(1) - 1
				if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { sum.simulate(t, seed) }) && sum.counts() {
					failed.Add(1)
				}
			}
		})
	}
}

// mostFailures is after how many failed schedules the run ends.
func mostFailures() uint64 {
	if *mutant != "" {
		return 1
	}
	return 5
}

// mostShown is how many breaches of one schedule are printed; of a mutant's, one
// of each promise.
func mostShown() int {
	if *mutant != "" {
		return 8
	}
	return 3
}

// want is how many commands to simulate.
func want() int {
	switch {
	case *commands > 0:
		return *commands
	case raceEnabled, testing.Short():
		return 10_000
	}
	return 100_000
}

// summary adds the schedules up.
type summary struct {
	began time.Time

	mu                  sync.Mutex
	schedules, commands int
	caught              bool // the mutant is
	virtual             time.Duration
	faults, results     map[string]int
}

// counts reports whether a failure ends the run: a mutant's only once a promise
// is broken that it is meant to break.
func (s *summary) counts() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *mutant == "" || s.caught
}

func (s *summary) more(most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *lasting > 0 {
		return time.Since(s.began) < *lasting
	}
	return s.commands < most
}

// simulate runs the schedule of one seed and reports what it breaks.
func (s *summary) simulate(t *testing.T, seed uint64) {
	w := simulate(t, scheduleOf(seed))
	v := judge(w)
	s.add(w)
	for _, broken := range s.shown(v.broken, mostShown()) {
		t.Errorf("%s\nrepeat it with: go test ./internal/simulation -run TestSchedules -sim.seed=%d", broken, seed)
	}
}

// shown picks the breaches that are printed.
func (s *summary) shown(all []breach, most int) (out []breach) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for _, b := range all {
		if len(out) < most && (*mutant == "" || !seen[b.promise]) {
			seen[b.promise] = true
			s.caught = s.caught || strings.Contains(*mutant, b.promise)
			out = append(out, b)
		}
	}
	return out
}

// scheduleOf is the schedule of a seed.
func scheduleOf(seed uint64) *plan { return storm(seed) }

func (s *summary) add(w *world) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedules++
	s.virtual += w.lasted
	for _, q := range w.asked {
		s.commands += q.copies
	}
	for k, n := range w.faults {
		s.faults[k] += n
	}
	for k, n := range w.tally {
		s.results[k] += n
	}
}

func (s *summary) print(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := time.Since(s.began)
	t.Logf("%d schedules, %d commands in %v: %.0f commands/s; %v of virtual time", s.schedules, s.commands,
		took.Round(time.Second), float64(s.commands)/took.Seconds(), s.virtual.Round(time.Minute))
	t.Logf("faults: %s", listed(s.faults))
	t.Logf("results: %s", listed(s.results))
}

func listed(m map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
