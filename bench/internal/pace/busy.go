package pace

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Strain watches how the machine keeps up. A pace that was missed because nobody got
// the processor says little about who keeps it, and a call that was seen late says
// nothing about when it was sent.
type Strain struct {
	idle, all int64
	stop      chan struct{}
	stopping  sync.Once
	stopped   chan struct{}
	late      time.Duration // read after stopped
}

// beat is how often a timer is tried.
const beat = 5 * time.Millisecond

// Watch begins to watch.
func Watch() *Strain {
	s := &Strain{stop: make(chan struct{}), stopped: make(chan struct{})}
	s.idle, s.all = processor()
	go func() {
		defer close(s.stopped)
		for {
			asked := time.Now()
			select {
			case <-time.After(beat):
				s.late = max(s.late, time.Since(asked)-beat)
			case <-s.stop:
				return
			}
		}
	}()
	return s
}

// End stops watching and says how it was.
func (s *Strain) End() string {
	s.stopping.Do(func() { close(s.stop) })
	<-s.stopped
	worst := s.late
	idle, all := processor()
	if all == s.all {
		return fmt.Sprintf("timers up to %d ms late", worst.Milliseconds())
	}
	busy := 100 - 100*float64(idle-s.idle)/float64(all-s.all)
	return fmt.Sprintf("machine %.0f %% busy, timers up to %d ms late", busy, worst.Milliseconds())
}

// processor reads the machine's time, idle and in all; zeros where there is no such
// file.
func processor() (idle, all int64) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	const idling, waiting = 3, 4
	for i, f := range strings.Fields(strings.TrimPrefix(line, "cpu")) {
		n, _ := strconv.ParseInt(f, 10, 64)
		all += n
		if i == idling || i == waiting {
			idle += n
		}
	}
	return idle, all
}
