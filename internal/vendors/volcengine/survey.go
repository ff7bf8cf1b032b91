package volcengine

import (
	"context"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// worthSurveying is how many instances each of the pages left must promise: look-ups by
// id have a quota of their own that is as large, and need not wait for each other. In a
// large account it is more: there the list's quota is needed to poll what is followed.
func worthSurveying(left int64) int64 {
	if left > manyPages {
		return 10
	}
	return 2
}

// manyPages take half a second of the list's quota of 20 a second.
const manyPages = 10

// detail is what a sighting holds.
type detail struct{ Status, Class string }

// Survey looks at a few instances one by one and at more by the list
// (DescribeDBInstances, 100 rows a page), as long as the pages promise enough of the
// instances that are still to be found. An instance that is refused is left for its
// own look-up to report on.
func (c *Client) Survey(ctx context.Context, ids []string) (map[string]vendors.Sighting, vendors.Verdict) {
	if len(ids) <= few {
		return vendors.SurveyOneByOne(ids, func(id string) (vendors.Sighting, vendors.Verdict) {
			at := time.Now()
			i, v := c.detail(ctx, id)
			return i.sighting(at), v
		})
	}
	seen, wanted := map[string]vendors.Sighting{}, map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	return seen, c.list(ctx, wanted, worthSurveying, func(i instance, at time.Time) { seen[string(i.ID)] = i.sighting(at) })
}

// sighting is what Prepare needs to know of an instance that was seen.
func (i instance) sighting(at time.Time) vendors.Sighting {
	return vendors.Sighting{At: at, Detail: detail{string(i.Status), string(i.Class)}}
}

// recollect reads the request's sighting. ok is false if there is none, or none that
// tells what the operation needs to know.
func recollect(req vendors.Request) (i instance, ok bool) {
	d, ok := vendors.DetailOf[detail](req)
	if !ok || d.Status == "" {
		return instance{}, false
	}
	i = instance{wire.String(req.InstanceID), wire.String(d.Status), wire.String(d.Class)}
	return i, req.Operation != vendors.Restore || d.Class != ""
}
