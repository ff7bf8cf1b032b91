package dispatch

import (
	"context"
	"sync"

	"github.com/seed-7b870224/sluice/internal/broker"
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
	// open is closed once nothing is left to be put at work but what was sent: then the
	// lane may pull more. Whatever is not after last in the stream is an earlier owner's.
	open chan struct{}
	last uint64
}

func newTakeover(missing int) *takeover {
	return &takeover{missing: missing, counted: map[uint64]bool{}, changed: make(chan struct{}, 1), open: make(chan struct{})}
}

// opens lets the lane pull more.
func (t *takeover) opens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.open:
	default:
		close(t.open)
	}
}

// fetched notes which messages have come, and reports whether they are all that were
// missing.
func (t *takeover) fetched(messages []broker.Message) (all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range messages {
		t.last = max(t.last, m.Sequence())
	}
	return len(messages) >= t.missing
}

// placing is what a message's command has to tell once it has found its place; nil if
// nobody waits for that.
func (t *takeover) placing(m broker.Message) func(found bool) {
	sequence := m.Sequence()
	t.mu.Lock()
	later := sequence > t.last
	t.mu.Unlock()
	if later || !t.came(sequence) {
		return nil
	}
	return func(found bool) { t.placed(sequence, found) }
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

// mostPlacing is how many messages look for their place at a time. All at once would
// each be as late as the last.
const mostPlacing = 32

// roomFor returns when fewer messages than most look for their place, or with the
// context's error.
func (t *takeover) roomFor(ctx context.Context, most int) error {
	for {
		if _, inHand := t.state(); inHand < most {
			return ctx.Err()
		}
		select {
		case <-t.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *takeover) state() (missing, inHand int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.missing, t.inHand
}

// recover pulls what an earlier owner held and waits until each command has
// found its place: those that were sent hold their instance again before a new
// command of the region may have it.
func (l *lane) recover(ctx context.Context, t *takeover) {
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
	l.place(ctx, t, got)
}

// place puts messages to work, those first that were not sent: if the owner before has
// told which were, the others may start at once, and the lane may pull more once they
// are on their way.
func (l *lane) place(ctx context.Context, t *takeover, messages []broker.Message) {
	for _, m := range messages {
		l.region.account.hands.take(m)
	}
	all := t.fetched(messages)
	unsent, sent := l.region.whichSent(messages)
	l.placeEach(ctx, t, unsent)
	if all && l.region.busy != nil {
		t.opens()
	}
	l.placeEach(ctx, t, sent)
}

// placeEach puts messages to work, not many at a time: then all would be as late as the
// last. It gives back those that are left when ctx ends.
func (l *lane) placeEach(ctx context.Context, t *takeover, messages []broker.Message) {
	most := max(1, min(mostPlacing, l.maxWaiting/2)) // they count as waiting, and leave room for new ones
	for _, m := range messages {
		if t.roomFor(ctx, most) != nil {
			l.returned(m, 0)
			continue
		}
		l.hold()
		l.region.account.receive(ctx, l, m, t.placing(m))
	}
}

// whichSent parts messages by what the owner before has told.
func (r *region) whichSent(messages []broker.Message) (unsent, sent []broker.Message) {
	told := map[uint64]bool{}
	for _, sequence := range r.busy {
		told[sequence] = true
	}
	for _, m := range messages {
		if told[m.Sequence()] {
			sent = append(sent, m)
		} else {
			unsent = append(unsent, m)
		}
	}
	return unsent, sent
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
