package simulation

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// detail is what a list shows of an instance. It shows no tasks.
type detail struct{ Status string }

// Survey is vendors.Surveyor: one look-up shows many instances, but not all.
func (a *adapter) Survey(ctx context.Context, ids []string) (map[string]vendors.Sighting, vendors.Verdict) {
	seen := map[string]vendors.Sighting{}
	v := a.look(ctx, "survey "+strings.Join(slices.Sorted(slices.Values(ids)), " "), func(now time.Time) {
		a.link.w.count("survey")
		for _, id := range ids {
			if id == missingInstance || a.link.w.chance.draw("unseen", a.region+a.cloud.conf.name+id).hits(0, a.link.w.plan.unseen) {
				continue
			}
			seen[id] = vendors.Sighting{At: now, Detail: detail{a.cloud.instance(a.region, id).status(now)}}
		}
	})
	return seen, v
}

// Prepare is vendors.Vendor.
func (a *adapter) Prepare(ctx context.Context, req vendors.Request) (vendors.Baseline, vendors.Verdict) {
	a.link.w.mu.Lock()
	a.link.w.turns[req.ClientToken] = time.Now()
	a.link.w.mu.Unlock()
	base, status, v := a.inspect(ctx, req)
	if v.Kind != vendors.Done {
		return nil, v
	}
	if req.InstanceID == missingInstance {
		return nil, vendors.Verdict{Kind: vendors.Refused, Reason: vendors.ReasonInstanceNotFound, Message: "no such instance"}
	}
	if status != "running" {
		return nil, vendors.Verdict{Kind: vendors.Busy, Reason: vendors.ReasonInstanceBusy, Message: "instance is " + status}
	}
	raw, _ := json.Marshal(base)
	return raw, v
}

// inspect looks at one instance, unless what a list has shown is enough: the
// baseline of tasks is in no list.
func (a *adapter) inspect(ctx context.Context, req vendors.Request) (base baseline, status string, v vendors.Verdict) {
	if req.Seen != nil {
		d, _ := req.Seen.Detail.(detail)
		if a.cloud.conf.kind != tasklist || d.Status != "running" {
			return base, d.Status, vendors.Verdict{Kind: vendors.Done}
		}
	}
	v = a.look(ctx, "prepare"+req.ClientToken, func(now time.Time) {
		i := a.cloud.instance(a.region, req.InstanceID)
		status = i.status(now)
		base.Tasks = i.listed(now)
	})
	return base, status, v
}

// listed are the ids of the tasks that the list shows by now.
func (i *instance) listed(now time.Time) []string {
	var ids []string
	for _, t := range i.tasks {
		if !now.Before(t.seen) {
			ids = append(ids, t.id)
		}
	}
	return ids
}
