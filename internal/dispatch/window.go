package dispatch

import "time"

// windowGuard is how much longer than the quota's window two calls are kept apart
// that must not share one: half of the slack that the margin leaves, so that it
// costs nothing while timers are punctual.
const windowGuard = 10 * time.Millisecond

// window remembers when the latest calls of a quota left. Even spacing alone keeps
// the quota as long as every timer is punctual; on a busy machine one call leaves
// late and the ones after it on time, and then there is one too many between them.
type window struct {
	length time.Duration
	left   []time.Time // a ring as long as the quota's calls in one window
	next   int
}

// newWindow makes the memory of a quota in calls per second; nil for none.
func newWindow(perSecond float64) *window {
	if perSecond <= 0 || perSecond > maxWindow {
		return nil
	}
	calls := max(1, int(perSecond))
	length := time.Duration(float64(calls) / perSecond * float64(time.Second))
	return &window{length: length, left: make([]time.Time, calls)}
}

// maxWindow bounds the memory of a quota. Beyond, the slack of the margin is
// hundreds of calls.
const maxWindow = 20_000

// wait is how long a call that would leave now has to be held back.
func (w *window) wait(now time.Time) time.Duration {
	if w == nil || w.left[w.next].IsZero() {
		return 0
	}
	return max(0, w.length+windowGuard-now.Sub(w.left[w.next]))
}

// leave notes that a call leaves.
func (w *window) leave(now time.Time) {
	if w == nil {
		return
	}
	w.left[w.next] = now
	w.next = (w.next + 1) % len(w.left)
}
