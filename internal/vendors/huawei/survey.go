package huawei

import (
	"context"
	"encoding/json"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// fewSurveyed are looked up one by one, which also tells of their tasks; that many
// pages a list has soon.
const fewSurveyed = 2

// detail is what a sighting holds.
type detail struct {
	Status, EngineVersion, CacheMode string
	// Task tells whether a task was at work; nil where the look did not tell.
	Task *bool
}

// Survey looks at a few instances one by one and at more by the list (ListInstances,
// 1000 rows a page), as long as its pages are no more than the instances that are
// still to be found. An instance that is refused is left for its own look-up to
// report on.
func (c *Client) Survey(ctx context.Context, ids []string) (map[string]vendors.Sighting, vendors.Verdict) {
	if len(ids) <= fewSurveyed {
		return vendors.SurveyOneByOne(ids, func(id string) (vendors.Sighting, vendors.Verdict) {
			at := time.Now()
			i, v := c.show(ctx, id)
			return detailOf(i).sighting(at), v
		})
	}
	seen := map[string]vendors.Sighting{}
	return seen, c.list(ctx, possible(ids), func(i instance, at time.Time) {
		d := detailOf(i)
		if !i.working() {
			d.Task = nil // Lists leave tasks out.
		}
		seen[string(i.ID)] = d.sighting(at)
	})
}

// possible are the ids that an instance can have. Others would have the list read to
// its end.
func possible(ids []string) map[string]bool {
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		if wellFormed(id) {
			out[id] = true
		}
	}
	return out
}

// detailOf is the detail of an instance that was looked up by itself.
func detailOf(i instance) detail {
	working := i.working()
	return detail{string(i.Status), string(i.EngineVersion), string(i.CacheMode), &working}
}

func (d detail) sighting(at time.Time) vendors.Sighting {
	return vendors.Sighting{At: at, Detail: d}
}

// recollect reads the request's sighting. ok is false if there is none, or none that
// tells what the operation needs to know.
func recollect(req vendors.Request) (d detail, ok bool) {
	if d, ok = vendors.DetailOf[detail](req); !ok || d.Status == "" {
		return detail{}, false
	}
	switch req.Operation {
	case vendors.Flush:
		return d, d.EngineVersion != ""
	case vendors.Restore:
		return d, d.CacheMode != ""
	}
	return d, true
}

// instance is the instance that the detail is of.
func (d detail) instance(id string) instance {
	i := instance{
		ID: wire.String(id), Status: wire.String(d.Status),
		EngineVersion: wire.String(d.EngineVersion), CacheMode: wire.String(d.CacheMode),
	}
	if d.Task != nil && *d.Task {
		i.Task = json.RawMessage("true")
	}
	return i
}
