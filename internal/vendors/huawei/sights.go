package huawei

import (
	"context"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// fewTasks are cheaper to ask for one by one than by the list.
	fewTasks = 3
	// instancesPage is the most rows that the list gives at once.
	instancesPage = 1000
)

// sights looks at the instances of all tasks in as few calls as it can. The list
// tells those still at work; of those that read RUNNING or ERROR only
// ShowInstance tells whether a task is left.
func (c *Client) sights(ctx context.Context, tasks []vendors.Task) map[string]sight {
	wanted := map[string]bool{}
	for _, t := range tasks {
		wanted[t.InstanceID] = true
	}
	seen := map[string]sight{}
	if len(wanted) > fewTasks {
		if v := c.list(ctx, wanted, seen); v.Kind != vendors.Done {
			// The instances left over would fail in the same way.
			for id := range wanted {
				if s, ok := seen[id]; !ok || !s.plain() {
					seen[id] = sight{verdict: v}
				}
			}
			return seen
		}
	}
	asked := map[string]bool{}
	for _, t := range tasks {
		id := t.InstanceID
		if s, ok := seen[id]; asked[id] || ok && s.plain() {
			continue
		}
		asked[id] = true
		found, v := c.show(ctx, id)
		seen[id] = sight{string(found.Status), found.working(), v}
	}
	return seen
}

// plain reports a sight to which a task would add nothing.
func (s sight) plain() bool { return s.status != running && s.status != faulty }

// list pages through the instances until all that are wanted were seen, or the
// list ends. Absence proves nothing, since pages may shift between two calls.
func (c *Client) list(ctx context.Context, wanted map[string]bool, seen map[string]sight) vendors.Verdict {
	l := listing{action: actionInstances, path: "/instances", rows: "instances", total: "instance_num", limit: instancesPage}
	_, v := pages(ctx, c, l, func(i instance) bool {
		if id := string(i.ID); wanted[id] && i.Status != "" {
			seen[id] = sight{status: string(i.Status), verdict: vendors.Verdict{Kind: vendors.Done}}
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
