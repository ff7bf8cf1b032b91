package dispatch

import (
	"sort"
	"time"
)

const (
	// windowGuard is how much longer than the quota's window two calls are kept apart
	// that must not share one: half of the slack that the margin leaves, so that it
	// costs nothing while timers are punctual.
	windowGuard = 10 * time.Millisecond
	// mostGuard is the guard after a call that may have been held up on its way. It
	// leaves a fifth of the slack, in which lateness is made up for: without any, a
	// call that was late once would be late in every window after.
	mostGuard = 16 * time.Millisecond
	// maxWindow bounds the memory of a quota. Beyond, the slack of the margin is
	// hundreds of calls.
	maxWindow = 20_000
)

// window remembers when the latest calls of a quota left. Even spacing alone keeps
// the quota as long as every timer is punctual; on a busy machine one call leaves
// late and the ones after it on time, and then there is one too many between them.
//
// A call also arrives later than it left. All take the same time at least, which
// changes nothing; what an answer took beyond that is time in which its call may have
// been on its way, and the call after the window waits for it.
type window struct {
	length time.Duration
	calls  []departure // a ring as long as the quota's calls in one window
	next   int
	// quickest is the shortest time that an answer took of late.
	quickest time.Duration
}

// departure is one call that left.
type departure struct {
	at    time.Time
	guard time.Duration
}

// newWindow makes the memory of a quota in calls per second; nil for none.
func newWindow(perSecond float64) *window {
	if perSecond <= 0 || perSecond > maxWindow {
		return nil
	}
	calls := max(1, int(perSecond))
	length := time.Duration(float64(calls) / perSecond * float64(time.Second))
	return &window{length: length, calls: make([]departure, calls)}
}

// wait is how long a call that would leave now has to be held back.
func (w *window) wait(now time.Time) time.Duration {
	if w == nil || w.calls[w.next].at.IsZero() {
		return 0
	}
	oldest := w.calls[w.next]
	return max(0, w.length+oldest.guard-now.Sub(oldest.at))
}

// leave notes that a call leaves.
func (w *window) leave(now time.Time) {
	if w == nil {
		return
	}
	w.calls[w.next] = departure{now, windowGuard}
	w.next = (w.next + 1) % len(w.calls)
}

// answered notes how long the answer took to a call that was made at a time.
func (w *window) answered(made time.Time, took time.Duration) {
	if w == nil {
		return
	}
	// The shortest time is forgotten slowly: the way to the vendor may change.
	w.quickest += w.quickest / 512
	if w.quickest == 0 || took < w.quickest {
		w.quickest = took
	}
	n := len(w.calls)
	// The ring is in the order of time from next on; the call is the last that left
	// by then.
	i := sort.Search(n, func(i int) bool { return w.calls[(w.next+i)%n].at.After(made) }) - 1
	if i >= 0 {
		d := &w.calls[(w.next+i)%n]
		d.guard = min(max(d.guard, took-w.quickest), mostGuard)
	}
}

// ages are the ages in milliseconds of the calls that still count, oldest first.
func (w *window) ages(now time.Time) (ages []int64) {
	for i := range w.calls {
		d := w.calls[(w.next+i)%len(w.calls)]
		if age := now.Sub(d.at); !d.at.IsZero() && age < w.length+mostGuard {
			ages = append(ages, age.Milliseconds())
		}
	}
	return ages
}
