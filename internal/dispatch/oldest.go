package dispatch

import (
	"context"
	"maps"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

const (
	// ageEvery is how many surveys there are between two looks at the ages.
	ageEvery = 4
	// headAgain is how long the answer of the broker holds that a lane's oldest
	// command is this one: where we hold nothing of a lane, as while its breaker is
	// open, hardly anything can settle it.
	headAgain = 10 * time.Second
	// headsAtOnce bounds what one look asks the broker.
	headsAtOnce = 8
)

// ages shows how old the oldest unsettled command of each lane is. Lanes are worked
// on in order, so that this is the oldest that we hold, which is known without asking
// anybody; only of a lane with commands of which we hold none the broker is asked,
// now and then.
type ages struct {
	engine *Engine
	passes int
	heads  map[string]head // by subject; of lanes of which we hold nothing
	shown  map[events.Lane]bool
}

// head is the oldest stored command of a lane.
type head struct{ received, asked time.Time }

func newAges(e *Engine) *ages {
	return &ages{engine: e, heads: map[string]head{}, shown: map[events.Lane]bool{}}
}

// show sets the metric for the lanes of the accounts that are served here. waiting
// counts the stored commands of each subject.
func (g *ages) show(ctx context.Context, waiting map[string]uint64) {
	if g.passes++; g.passes%ageEvery != 1 {
		return
	}
	held, budget := g.engine.oldestHeld(), headsAtOnce
	heads, now := map[string]head{}, map[events.Lane]bool{}
	for subject, n := range waiting {
		id, ok := g.engine.opts.Subjects.ParseLane(subject)
		mine := held[accountKey(id.Vendor, id.Account)]
		if !ok || n == 0 || mine == nil || !g.engine.configured(id) {
			continue
		}
		received, ok := mine[subject]
		if !ok {
			if heads[subject], ok = g.head(ctx, subject, &budget); !ok {
				continue
			}
			received = heads[subject].received
		}
		now[id] = true
		g.engine.showOldest(id, max(0, time.Since(received).Seconds()))
	}
	for id := range g.shown {
		if !now[id] {
			g.engine.showOldest(id, 0)
		}
	}
	g.heads, g.shown = heads, now
}

// showOldest sets the metric, unless the account has gone to another replica meanwhile.
func (e *Engine) showOldest(id events.Lane, seconds float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.serving[accountKey(id.Vendor, id.Account)] != nil {
		e.metrics.set(e.metrics.Oldest, id, seconds)
	}
}

// head is the oldest stored command of a lane, as far as it is known or can be asked
// for within the budget.
func (g *ages) head(ctx context.Context, subject string, budget *int) (head, bool) {
	h, known := g.heads[subject]
	if known && time.Since(h.asked) < headAgain || *budget == 0 {
		return h, known
	}
	*budget--
	m, err := g.engine.opts.Broker.First(ctx, subject)
	if err != nil {
		// Settled meanwhile, or the broker is away: then nothing more is asked now.
		*budget = 0
		return h, false
	}
	return head{received: m.Received(), asked: time.Now()}, true
}

// oldestHeld is when the oldest command that we hold of each subject was stored, by
// the keys of the accounts that are served here.
func (e *Engine) oldestHeld() map[string]map[string]time.Time {
	e.mu.Lock()
	serving := maps.Clone(e.serving)
	e.mu.Unlock()
	out := make(map[string]map[string]time.Time, len(serving))
	for key, a := range serving {
		out[key] = a.hands.oldest()
	}
	return out
}

// oldest is when the oldest message in hand of each subject was stored.
func (h *hands) oldest() map[string]time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[string]time.Time{}
	for m := range h.held {
		received := m.Received()
		if first, ok := out[m.Subject()]; !ok || received.Before(first) {
			out[m.Subject()] = received
		}
	}
	return out
}
