// Package turns shares out a few look-ups among many that would like one.
//
// A poll of many tasks makes a bounded number of calls. Where only some of the
// tasks can be asked about by themselves, those go first whose turn was longest
// ago. The memory is one name, whatever the number of tasks.
package turns

import (
	"slices"
	"strings"
	"sync"
)

// Turns goes round the names that want a turn, in their order. The zero value is
// ready to use, by several goroutines.
type Turns struct {
	mu   sync.Mutex
	last string
}

// Take gives at most n of the names, without repeats: those that follow the last
// one of the call before, and after the greatest name the least. A name that goes
// on wanting a turn gets one after at most all others had theirs.
func (t *Turns) Take(names []string, n int) []string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	n = max(min(n, len(names)), 0)
	if n == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next, found := slices.BinarySearchFunc(names, t.last, strings.Compare)
	if found {
		next++
	}
	taken := append(slices.Clone(names[min(next, len(names)):]), names...)[:n]
	t.last = taken[n-1]
	return taken
}
