package volcengine

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// sight is what a look showed of an instance: its status, or with another
// verdict than Done why there is none.
type sight struct {
	status  string
	verdict vendors.Verdict
}

// always makes a page worth while if it promises one.
func always(int64) int64 { return 1 }

// sights looks at the instances of all tasks in as few calls as it can.
func (c *Client) sights(ctx context.Context, tasks []vendors.Task) map[string]sight {
	wanted := map[string]bool{}
	for _, t := range tasks {
		wanted[t.InstanceID] = true
	}
	done := vendors.Verdict{Kind: vendors.Done}
	seen, listing := map[string]sight{}, done
	if len(wanted) > few {
		listing = c.list(ctx, wanted, always, func(i instance, _ time.Time) { seen[string(i.ID)] = sight{string(i.Status), done} })
	}
	var missing []string
	for id := range wanted {
		if _, ok := seen[id]; !ok {
			missing = append(missing, id)
		}
	}
	c.single(ctx, missing, seen, listing)
	return seen
}

// single looks up by themselves those that the list does not show, as many as a poll
// may ask about. listing is the verdict on the list; if it failed, no look-up would
// fare better.
func (c *Client) single(ctx context.Context, missing []string, seen map[string]sight, listing vendors.Verdict) {
	if listing.Kind == vendors.Done {
		for _, id := range c.details.Take(missing, singles) {
			found, v := c.detail(ctx, id)
			seen[id] = sight{string(found.Status), v}
		}
		listing = unavailable.verdict(fmt.Sprintf("not asked about in this poll: %d are not in the list, and a poll asks about %d of them, in turns", len(missing), singles))
	}
	for _, id := range missing {
		if _, ok := seen[id]; !ok {
			seen[id] = sight{verdict: listing}
		}
	}
}
