package broker

import "time"

const (
	// crowd is how many single writes in flight keep the server busy for sure, so
	// that the time between two answers is the time of one write.
	crowd = 48
	// enoughSingles and enoughBatches are how many are measured before a verdict;
	// of slow ones fewer are enough.
	enoughSingles = 512
	enoughSlow    = 64
	enoughTime    = 50 * time.Millisecond
	enoughBatches = 4
	// advantage is how much cheaper batches must be: they cost the server more
	// processor time than they seem to.
	advantage = 1.25
	// meterAgain is after how long a verdict is put to the test again.
	meterAgain = 10 * time.Second
	// trialLimit ends a trial of batches that finds too little to do.
	trialLimit = time.Second
)

// meter finds out whether batches are the cheaper way of storing. They are if every
// message is flushed to disk before its answer, and a server does not tell: so both
// ways are timed while there is more to write than the server can take.
type meter struct {
	batching bool
	trying   bool
	since    time.Time // of the present way
	last     time.Time // of the latest answer

	singles, batches cost
	stored           int // batches measured
}

// cost is time spent for a number of writes.
type cost struct {
	time   time.Duration
	writes int
}

func (c cost) enough() bool {
	return c.writes >= enoughSingles || (c.writes >= enoughSlow && c.time >= enoughTime)
}

func (c cost) each() float64 { return float64(c.time) / float64(max(c.writes, 1)) }

// single is told that a write was stored by itself, with how many writes and batches
// in flight.
func (m *meter) single(sent time.Time, inFlight, batches int) {
	now := time.Now()
	if inFlight >= crowd && sent.Before(m.last) {
		m.singles.time += now.Sub(m.last)
		m.singles.writes++
	}
	m.last = now
	if m.trying && batches == 0 && now.Sub(m.since) >= trialLimit {
		m.trying = false
		m.turn(now, false)
	}
	m.judge(now)
}

// batch is told that a batch was stored.
func (m *meter) batch(sent time.Time, writes int) {
	now := time.Now()
	if sent.Before(m.last) {
		sent = m.last
	}
	m.batches.time += now.Sub(sent)
	m.batches.writes += writes
	m.stored++
	m.last = now
	m.judge(now)
}

// judge changes the way if it is time to.
func (m *meter) judge(now time.Time) {
	long := now.Sub(m.since)
	switch {
	case !m.batching && m.singles.enough():
		if m.since.IsZero() || long >= meterAgain {
			m.turn(now, true)
			m.trying, m.batches, m.stored = true, cost{}, 0
		}
		if m.singles.writes >= 8*enoughSingles { // forget slowly
			m.singles.time, m.singles.writes = m.singles.time/2, m.singles.writes/2
		}
	case m.trying && m.stored >= enoughBatches:
		m.trying = false
		if m.batches.each()*advantage > m.singles.each() {
			m.turn(now, false)
		}
	case m.batching && !m.trying && long >= meterAgain:
		m.turn(now, false)
		m.singles, m.since = cost{}, time.Time{} // a trial follows soon
	}
}

func (m *meter) turn(now time.Time, batching bool) { m.batching, m.since = batching, now }
