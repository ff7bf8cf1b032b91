// Package unlisted remembers work that a vendor has taken until the vendor's list
// of tasks shows it.
//
// Rows may come late. A baseline that is read before they come would miss them,
// and later they would pass for newer work: for that of a call which never ran.
// The memory is that of one process, so it covers the commands that follow each
// other on one instance, and not those of other programs.
package unlisted

import (
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// patience is how long a row is waited for. One that has not come by then is
	// not expected any more.
	patience = 10 * time.Minute
	// fewest is the size from which on a full memory is swept.
	fewest = 256
)

// Work is taken work. The zero value is ready to use, by several goroutines.
type Work struct {
	mu    sync.Mutex
	taken map[key]taken
	// full is the size at which what has grown old is swept out.
	full int
}

type key struct {
	instance  string
	operation vendors.Operation
}

type taken struct {
	before vendors.Baseline
	at     time.Time
}

// Take remembers that a request's work was taken, with the baseline from before.
func (w *Work) Take(req vendors.Request, before vendors.Baseline) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.taken) >= w.full {
		w.sweep(now)
	}
	w.taken[key{req.InstanceID, req.Operation}] = taken{before, now}
}

func (w *Work) sweep(now time.Time) {
	kept := map[key]taken{}
	for k, t := range w.taken {
		if now.Sub(t.at) < patience {
			kept[k] = t
		}
	}
	w.taken, w.full = kept, max(fewest, 2*len(kept))
}

// last gives the baseline from before the newest work of this kind on the
// instance that the list has not shown yet, and when it was taken. ok is false
// if there is none.
func (w *Work) last(req vendors.Request) (before vendors.Baseline, at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.taken[key{req.InstanceID, req.Operation}]
	if !ok || time.Since(t.at) >= patience {
		return nil, time.Time{}, false
	}
	return t.before, t.at, true
}

// Missing reports whether the list lacks work of this kind that was taken before,
// and since when. shows says whether the list has a row that is newer than a
// baseline; then the work is forgotten.
func (w *Work) Missing(req vendors.Request, shows func(before vendors.Baseline) bool) (since time.Time, missing bool) {
	before, since, ok := w.last(req)
	if !ok {
		return time.Time{}, false
	}
	if shows(before) {
		w.forget(req)
		return time.Time{}, false
	}
	return since, true
}

// forget forgets the work of this kind on the instance: the list shows it.
func (w *Work) forget(req vendors.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.taken, key{req.InstanceID, req.Operation})
}
