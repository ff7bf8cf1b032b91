package dispatch

import (
	"context"
	"sync"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// delivery is one message in hand and the command that was read from it.
type delivery struct {
	broker.Message
	cmd  events.Command
	lane *lane
	// known: its token was here of late, and has a record most likely.
	known bool
	// waiting counts it against its lane until its work has started.
	waiting *waitingMark
	// placed, if not nil, is told once whether the command has found its place
	// among its like, or is given back and has none.
	placed func(found bool)
	told   sync.Once
	span   Span // nil if it is not traced
}

// place tells that the command has found its place, or that it has none.
func (d *delivery) place(found bool) {
	if d.placed != nil {
		d.told.Do(func() { d.placed(found) })
	}
}

// hands holds every message of an account that is neither settled nor given
// back, so that one ticker can keep all of them alive.
type hands struct {
	mu   sync.Mutex
	held map[broker.Message]struct{}
}

func newHands() *hands { return &hands{held: map[broker.Message]struct{}{}} }

func (h *hands) take(m broker.Message) {
	h.mu.Lock()
	h.held[m] = struct{}{}
	h.mu.Unlock()
}

func (h *hands) drop(m broker.Message) {
	h.mu.Lock()
	delete(h.held, m)
	h.mu.Unlock()
}

// count is how many messages of a subject are in hand, however often delivered.
func (h *hands) count(subject string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	sequences := map[uint64]bool{}
	for m := range h.held {
		if m.Subject() == subject {
			sequences[m.Sequence()] = true
		}
	}
	return len(sequences)
}

// beat tells the broker that everything in hand is still being worked on.
func (h *hands) beat() {
	h.mu.Lock()
	held := make([]broker.Message, 0, len(h.held))
	for m := range h.held {
		held = append(held, m)
	}
	h.mu.Unlock()
	for _, m := range held {
		// A lost heartbeat costs a redelivery, which the ledger absorbs.
		_ = m.InProgress()
	}
}

// keepAlive beats until ctx ends; after is called after each beat.
func (h *hands) keepAlive(ctx context.Context, after func()) {
	for sleep(ctx, heartbeat) == nil {
		h.beat()
		after()
	}
}
