package broker

import "time"

const (
	// crowd is how many writes keep the server busy for sure, so that the time
	// between two answers is the time that a write takes.
	crowd = 48
	// enoughWrites is how many are measured before a verdict; of slow ones fewer are
	// enough, but never fewer than enoughBatches batches.
	enoughWrites  = 1024
	enoughSlow    = 64
	enoughTime    = 50 * time.Millisecond
	enoughBatches = 4
	// advantage is how much cheaper batches must be: they cost the server more
	// processor time than they seem to.
	advantage = 1.25
	// meterAgain is after how long a verdict is put to the test again.
	meterAgain = 10 * time.Second
	// stall is a silence that tells of other troubles than how writes are stored.
	stall = time.Second
	// trialLimit ends a trial of batches that finds too little to do.
	trialLimit = time.Second
)

// meter finds out whether batches are the cheaper way of storing. They are if every
// message is flushed to disk before its answer, and a server does not tell: so both
// ways are timed while there is more to write than the server can take. Timed is the
// progress of all writes, not how long each is under way: on a busy machine the
// processor, not the disk, is what they wait for, and of that batches take more.
type meter struct {
	batching bool
	trying   bool
	// doubt: batches did better than singles before them, which are measured again to
	// see that it was not for something else, such as a start that is over.
	doubt   bool
	since   time.Time // of the present way
	last    time.Time // of the latest answer
	crowded bool      // since the latest answer

	singles, batches cost
	stored           int // batches measured
}

// cost is time spent for a number of writes.
type cost struct {
	time   time.Duration
	writes int
}

func (c cost) enough() bool {
	return c.writes >= enoughWrites || (c.writes >= enoughSlow && c.time >= enoughTime)
}

func (c cost) each() float64 { return float64(c.time) / float64(max(c.writes, 1)) }

// single is told that a write was stored by itself. Pending is how many are left
// that wait for their answer or to be sent, batches how many of those are under way.
func (m *meter) single(pending, batches int) {
	now := time.Now()
	m.progress(now, 1, pending)
	if m.trying && batches == 0 && now.Sub(m.since) >= trialLimit {
		m.trying = false
		m.turn(now, false)
	}
	m.judge(now)
}

// batch is told that a batch of so many writes was stored.
func (m *meter) batch(writes, pending int) {
	now := time.Now()
	m.progress(now, writes, pending)
	m.stored++
	m.judge(now)
}

// progress notes how long the latest answer took to come after the one before.
func (m *meter) progress(now time.Time, writes, pending int) {
	if m.crowded && now.Sub(m.last) < stall {
		way := &m.singles
		if m.batching {
			way = &m.batches
		}
		way.time += now.Sub(m.last)
		way.writes += writes
	}
	m.last, m.crowded = now, pending >= crowd
}

// judge changes the way if it is time to.
func (m *meter) judge(now time.Time) {
	long := now.Sub(m.since)
	switch {
	case !m.batching && m.singles.enough():
		if m.doubt && long < meterAgain {
			m.doubt = false
			m.turn(now, m.better())
			return
		}
		if m.since.IsZero() || long >= meterAgain {
			m.turn(now, true)
			m.trying, m.doubt, m.batches, m.stored = true, false, cost{}, 0
		}
		if m.singles.writes >= 4*enoughWrites { // forget slowly
			m.singles.time, m.singles.writes = m.singles.time/2, m.singles.writes/2
		}
	case m.trying && m.stored >= enoughBatches && m.batches.enough():
		m.trying, m.doubt = false, m.better()
		m.turn(now, false)
		if m.doubt {
			m.singles = cost{}
		}
	case m.batching && !m.trying && long >= meterAgain:
		m.turn(now, false)
		m.singles, m.since = cost{}, time.Time{} // a trial follows soon
	}
}

// better reports that batches are the cheaper way by what was measured.
func (m *meter) better() bool { return m.batches.each()*advantage <= m.singles.each() }

func (m *meter) turn(now time.Time, batching bool) { m.batching, m.since = batching, now }
