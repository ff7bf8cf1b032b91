package huawei

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// fewTasks are cheaper to ask for one by one than by the list.
	fewTasks = 3
	// instancesPage is the most rows that the list gives at once.
	instancesPage = 1000
	// singles bounds the look-ups of one instance that a poll makes, and those of
	// restore records: one second of their quotas.
	singles = 5
)

// sight is what a look showed of an instance, or with another verdict than Done
// why it showed nothing.
type sight struct {
	status  string
	working bool
	// listed: a list has shown it, which leaves tasks out.
	listed  bool
	verdict vendors.Verdict
}

// sights looks at the instances of all tasks by the list if they are many. The
// verdict is Done unless the list failed.
func (c *Client) sights(ctx context.Context, tasks []vendors.Task) (map[string]sight, vendors.Verdict) {
	wanted := map[string]bool{}
	for _, t := range tasks {
		wanted[t.InstanceID] = true
	}
	seen := map[string]sight{}
	if len(wanted) <= fewTasks {
		return seen, vendors.Verdict{Kind: vendors.Done}
	}
	v := c.list(ctx, wanted, func(i instance, _ time.Time) {
		seen[string(i.ID)] = sight{string(i.Status), i.working(), true, vendors.Verdict{Kind: vendors.Done}}
	})
	return seen, v
}

// single looks some of the instances up by themselves whose list does not tell
// enough: those that it does not show, that are faulty, and of those that are ready
// again the ones for which it decides whether a task is left. There may be more of
// them than a poll can ask about. Then those that are ready must do without, and
// the others wait for their turn. listing is the verdict on the list; if it failed,
// no look-up would fare better.
func (c *Client) single(ctx context.Context, tasks []vendors.Task, seen map[string]sight, listing vendors.Verdict, now time.Time) {
	var open []string
	for _, t := range tasks {
		s, ok := seen[t.InstanceID]
		if !ok || s.status == faulty || s.status == running && !s.working && recall(t).over(t, false, now) {
			open = append(open, t.InstanceID)
		}
	}
	if listing.Kind != vendors.Done {
		for _, id := range open {
			seen[id] = sight{verdict: listing}
		}
		return
	}
	for _, id := range c.shows.Take(open, singles) {
		found, v := c.show(ctx, id)
		seen[id] = sight{status: string(found.Status), working: found.working(), verdict: v}
	}
	for _, id := range open {
		if s, ok := seen[id]; !ok || s.listed && s.status == faulty {
			seen[id] = sight{verdict: postponed(len(open))}
		}
	}
}

// postponed is the verdict on a look-up that did not have its turn in this poll.
func postponed(waiting int) vendors.Verdict {
	return unavailable.verdict(fmt.Sprintf("not asked about in this poll: %d had to be asked about by themselves, and a poll asks about %d, in turns", waiting, singles))
}

// list pages through the instances until all that are wanted were seen, or the list
// ends, or it has more pages left than there are instances to find. Absence proves
// nothing, since pages may shift between two calls. found is told of each instance
// and when the look that shows it began.
func (c *Client) list(ctx context.Context, wanted map[string]bool, found func(i instance, at time.Time)) vendors.Verdict {
	seen, at := map[string]bool{}, time.Now()
	l := listing{
		action: actionInstances, path: "/instances", rows: "instances", total: "instance_num", limit: instancesPage,
		further: func(left int64) bool {
			at = time.Now()
			return left <= int64(len(wanted)-len(seen))
		},
	}
	_, v := pages(ctx, c, l, func(i instance) bool {
		if id := string(i.ID); wanted[id] && i.Status != "" {
			seen[id] = true
			found(i, at)
		}
		return len(seen) == len(wanted)
	})
	return v
}

// Probe asks for a list of one instance.
func (c *Client) Probe(ctx context.Context) vendors.Verdict {
	l := listing{action: actionInstances, path: "/instances", rows: "instances", total: "instance_num", limit: 1}
	_, v := pages(ctx, c, l, func(instance) bool { return true })
	return v
}
