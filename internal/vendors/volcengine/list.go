package volcengine

import (
	"context"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// few are cheaper to ask for one by one than by the list.
	few = 2
	// pageSize is the most that the API's documentation lets a page hold.
	pageSize = 100
	// maxPages ends a list that does not end itself; accounts have 50 instances
	// by default (Volcengine docs 6293/71560).
	maxPages = 100
)

// list pages through the instances until all that are wanted were seen, or the list
// ends, or fewer of them are left for each page that is than make it worth while. Absence proves
// nothing: the list leaves out Enterprise instances, and its pages may shift between
// two calls. found is told of each instance and when the look that shows it began.
func (c *Client) list(ctx context.Context, wanted map[string]bool, worth func(left int64) int64, found func(i instance, at time.Time)) vendors.Verdict {
	var rows int64
	seen := map[string]bool{}
	for number := 1; number <= maxPages; number++ {
		at := time.Now()
		p, v := c.instances(ctx, number, pageSize)
		if v.Kind != vendors.Done {
			return v
		}
		for _, i := range p.Instances {
			if wanted[string(i.ID)] && i.Status != "" {
				seen[string(i.ID)] = true
				found(i, at)
			}
		}
		rows += int64(len(p.Instances))
		if len(p.Instances) == 0 || p.left(rows)*worth(p.left(rows)) > int64(len(wanted)-len(seen)) || p.Total.Valid && rows >= p.Total.Value {
			break
		}
	}
	return vendors.Verdict{Kind: vendors.Done}
}

// left is the number of pages that follow the first rows of the list, at least one.
func (p page) left(rows int64) int64 { return max(1, (p.Total.Value-rows+pageSize-1)/pageSize) }

// Probe asks for a list of one instance.
func (c *Client) Probe(ctx context.Context) vendors.Verdict {
	_, v := c.instances(ctx, 1, 1)
	return v
}
