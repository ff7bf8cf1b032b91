package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// surveyEvery is how often the commands stream is looked over: it bounds how
// long a command on a subject without a lane waits for its refusal.
const surveyEvery = 500 * time.Millisecond

// survey counts what waits, for the metrics, wakes lanes whose arrivals went
// unheard, and answers commands on subjects that no lane serves. A lane for each such subject is impossible, as anybody
// may invent one, and a consumer for all of them would overlap with the lanes,
// which a work queue forbids.
func (e *Engine) survey(ctx context.Context) {
	shown, ages := map[events.Lane]bool{}, newAges(e)
	for sleep(ctx, surveyEvery) == nil {
		waiting, err := e.opts.Broker.Waiting(ctx)
		if err != nil {
			e.log.Debug("survey failed; trying on", "error", err)
			continue
		}
		shown = e.showBacklog(waiting, shown)
		ages.show(ctx, waiting)
		for subject := range waiting {
			a := e.ownerOf(subject)
			switch {
			case a == nil:
			case !a.serves(subject):
				a.answerStray(ctx, subject)
			default:
				if l := a.lane(subject); l != nil {
					l.wake()
				}
			}
		}
	}
}

// showBacklog sets the backlog of every configured lane; invented subjects must
// not become labels.
func (e *Engine) showBacklog(waiting map[string]uint64, shown map[events.Lane]bool) map[events.Lane]bool {
	now := map[events.Lane]bool{}
	for subject, n := range waiting {
		id, ok := e.opts.Subjects.ParseLane(subject)
		if !ok || !e.configured(id) {
			continue
		}
		now[id] = true
		e.metrics.set(e.metrics.Backlog, id, float64(n))
	}
	for id := range shown {
		if !now[id] {
			e.metrics.set(e.metrics.Backlog, id, 0)
		}
	}
	return now
}

// configured reports whether the lane is one that the configuration can name.
func (e *Engine) configured(id events.Lane) bool {
	a := e.rules.accounts[id.Vendor][id.Account]
	return a != nil && a.names(id)
}

// names reports whether region, operation and priority of a lane are words that
// the account knows, whether or not it allows the operation.
func (a *Account) names(id events.Lane) bool {
	return slices.Contains(a.Regions, id.Region) && slices.Contains(events.Operations(), id.Operation) &&
		slices.Contains(events.Priorities(), id.Priority)
}

// ownerOf returns the account that a subject names if this replica serves it.
func (e *Engine) ownerOf(subject string) *account {
	id, ok := e.opts.Subjects.ParseLane(subject)
	if !ok {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.serving[accountKey(id.Vendor, id.Account)]
}
