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
	// lateGuard is the most where answers hardly differ otherwise (by less than steady on
	// average): one that is late then is seldom, and tells of its way more than of the
	// vendor's work.
	lateGuard = 60 * time.Millisecond
	steady    = 8 * time.Millisecond
	// maxWindow bounds the memory of a quota. Beyond, the slack of the margin is
	// hundreds of calls.
	maxWindow = 20_000
)

// window remembers when the latest calls of a quota left. Even spacing alone keeps
// the quota as long as every timer is punctual; on a busy machine one call leaves
// late and the ones after it on time, and then there is one too many between them.
//
// A call counts from when its bytes were handed to the network, where that is known
// (vendors.Flight): on a busy machine that is later than its permit. While it is not
// yet, the call after the window waits, and with it all that come later, so that it does
// not matter which of two calls gets there first.
//
// A call also arrives later than it left. All take the same time at least, which
// changes nothing; what an answer took beyond that is time in which its call may have
// been on its way, and the call after the window waits for it.
type window struct {
	length time.Duration
	calls  []departure // a ring as long as the quota's calls in one window
	left   uint64      // how many calls have ever left
	// quickest is the shortest time that an answer took of late, beyond what they take
	// longer on average.
	quickest, beyond time.Duration
}

// departure is one call that left.
type departure struct {
	at    time.Time
	guard time.Duration
	// known: it is followed on its way; leaving: it may not have left yet.
	known, leaving bool
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

// oldest is the place of the call that a call leaving now must not share a window with.
func (w *window) oldest() *departure { return &w.calls[w.left%uint64(len(w.calls))] }

// wait is how long a call that would leave now has to be held back.
func (w *window) wait(now time.Time) time.Duration {
	if w == nil {
		return 0
	}
	switch d := w.oldest(); {
	case d.at.IsZero():
		return 0
	case d.leaving:
		return w.length // whoever tells that it has left asks again
	default:
		return max(0, w.length+d.guard-now.Sub(d.at))
	}
}

// leave notes that a call leaves, and gives it a number.
func (w *window) leave(now time.Time) (call uint64) {
	if w == nil {
		return 0
	}
	*w.oldest() = departure{at: now, guard: windowGuard}
	w.left++
	return w.left - 1
}

// follow changes what is known of a call, if it is still remembered.
func (w *window) follow(call uint64, change func(*departure)) {
	if n := uint64(len(w.calls)); w.left-call <= n {
		d := &w.calls[call%n]
		d.known = true
		change(d)
	}
}

// answered notes how long the answer took to a call that was made at a time and not
// followed on its way.
func (w *window) answered(made time.Time, took time.Duration) {
	if w == nil {
		return
	}
	n := len(w.calls)
	first := int(w.left % uint64(n))
	// The ring is in the order of time from there on; the call is the last that left
	// by then.
	i := sort.Search(n, func(i int) bool { return w.calls[(first+i)%n].at.After(made) }) - 1
	if i < 0 {
		return
	}
	if d := &w.calls[(first+i)%n]; !d.known {
		w.took(d, took)
	}
}

// took notes how long the answer to a call took since it left.
func (w *window) took(d *departure, took time.Duration) {
	// The shortest time is forgotten slowly: the way to the vendor may change.
	w.quickest += w.quickest / 512
	if w.quickest == 0 || took < w.quickest {
		w.quickest = took
	}
	longer, most := took-w.quickest, mostGuard
	if w.beyond < steady {
		most = lateGuard
	}
	w.beyond += (min(longer, lateGuard) - w.beyond) / 64
	d.guard = min(max(d.guard, longer), most)
}

// ages are the ages in milliseconds of the calls that still count, oldest first.
func (w *window) ages(now time.Time) (ages []int64) {
	for i := range w.calls {
		d := w.calls[(w.left+uint64(i))%uint64(len(w.calls))]
		if age := now.Sub(d.at); !d.at.IsZero() && age < w.length+mostGuard {
			ages = append(ages, age.Milliseconds())
		}
	}
	return ages
}
