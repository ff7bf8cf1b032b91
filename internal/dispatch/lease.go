package dispatch

import (
	"sync/atomic"
	"time"
)

// lease is this replica's right to serve one account. It is measured on our own
// monotonic clock from before the renewal was sent, so that it ends here before
// it can end at the broker, whatever wall clocks say.
type lease struct {
	// until is when the right ends, as nanoseconds since epoch.
	until atomic.Int64
	epoch time.Time
	// revision is the bucket's; used by the leases loop only.
	revision uint64
	// failure is why the latest renewal failed; likewise.
	failure error
}

func newLease() *lease { return &lease{epoch: time.Now()} }

// extend moves the end of the lease.
func (l *lease) extend(until time.Time) { l.until.Store(int64(until.Sub(l.epoch))) }

// valid reports whether calls may still be sent under the lease. A nil lease is
// never valid.
func (l *lease) valid() bool { return l != nil && int64(time.Since(l.epoch)) < l.until.Load() }
