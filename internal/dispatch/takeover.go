package dispatch

import (
	"context"
	"sync"
)

// takeover counts what a lane still has to get back of an earlier owner.
type takeover struct {
	mu      sync.Mutex
	missing int // not here yet, or given back and coming again
	inHand  int // here, and without a place yet
	// counted are the messages that came, by their sequence in the stream: one
	// may be delivered more than once and must not stand for another.
	counted map[uint64]bool
	changed chan struct{}
}

// came counts a message, unless it has been counted before.
func (t *takeover) came(sequence uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counted[sequence] {
		return false
	}
	t.counted[sequence] = true
	t.missing = max(0, t.missing-1)
	t.inHand++
	return true
}

// placed is told of each message that was counted. One that was given back has to
// come again: it may have been sent.
func (t *takeover) placed(sequence uint64, found bool) {
	t.mu.Lock()
	t.inHand--
	if !found {
		delete(t.counted, sequence)
		t.missing++
	}
	t.mu.Unlock()
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// expect changes how many are missing.
func (t *takeover) expect(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.missing = max(0, t.missing+n)
}

func (t *takeover) state() (missing, inHand int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.missing, t.inHand
}

// recover pulls what an earlier owner held and waits until each command has
// found its place: those that were sent hold their instance again before any
// new command of the region may start.
func (l *lane) recover(ctx context.Context, n int) {
	t := &takeover{missing: n, counted: map[uint64]bool{}, changed: make(chan struct{}, 1)}
	for ctx.Err() == nil {
		missing, inHand := t.state()
		switch {
		case missing > 0:
			l.fetchBack(ctx, t, missing)
		case inHand > 0:
			select {
			case <-t.changed:
			case <-ctx.Done():
			}
		default:
			// As many came as were missing, but some of them may be new, and
			// older ones with a replica that does not know yet that it lost them.
			_, elsewhere, ok := l.whereabouts(ctx)
			if ok && elsewhere == 0 {
				return
			}
			t.expect(max(elsewhere, 1))
		}
	}
}

// fetchBack pulls some of what is missing, or finds that nothing is.
func (l *lane) fetchBack(ctx context.Context, t *takeover, missing int) {
	got, err := l.queue.Fetch(ctx, missing, recoverWait)
	if err != nil && ctx.Err() == nil {
		l.region.log.Warn("pull failed while taking over; trying on", "lane", l.id, "error", err)
		_ = sleep(ctx, laneRetry)
	}
	if len(got) == 0 && err == nil {
		// Nothing there, or only slow: a consumer that was just made again may
		// have no leader for seconds.
		if waiting, elsewhere, ok := l.whereabouts(ctx); ok && waiting+elsewhere == 0 {
			t.expect(-missing)
		}
	}
	for _, m := range got {
		l.hold()
		var placed func(bool)
		if sequence := m.Sequence(); t.came(sequence) {
			placed = func(found bool) { t.placed(sequence, found) }
		}
		l.region.account.receive(ctx, l, m, placed)
	}
}

// whereabouts counts the lane's messages that wait at the broker, and those in
// hands other than ours. ok is false if the broker did not say.
func (l *lane) whereabouts(ctx context.Context) (waiting, elsewhere int, ok bool) {
	waiting, out, err := l.queue.Now(ctx)
	if err != nil {
		l.region.log.Debug("cannot ask what is left to take over; trying on", "lane", l.id, "error", err)
		return 0, 0, false
	}
	a := l.region.account
	return waiting, max(0, out-a.hands.count(l.subject)), true
}
