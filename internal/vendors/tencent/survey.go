package tencent

import (
	"context"
	"encoding/json"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// detail is what a sighting holds.
type detail struct{ Status int64 }

// Survey looks at all of the instances in one call, which is the look-up of a single
// one (DescribeInstances) with more ids. A call that is refused, as it may be for one
// of the ids, shows nothing: each instance's own look-up then says what there is.
func (c *Client) Survey(ctx context.Context, ids []string) (map[string]vendors.Sighting, vendors.Verdict) {
	seen, wanted := map[string]vendors.Sighting{}, map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	done := vendors.Verdict{Kind: vendors.Done}
	if len(ids) == 0 {
		return seen, done
	}
	at := time.Now()
	params := map[string]any{"InstanceIds": ids, "Limit": max(fewestRows, len(ids)), "Offset": 0}
	v := c.look(ctx, actionInstances, params, func(result json.RawMessage, _ func(string) string) error {
		p, err := decodeInstances(result)
		for _, i := range p.Instances {
			if id := string(i.ID); wanted[id] && i.Status.Valid {
				seen[id] = vendors.Sighting{At: at, Detail: detail{i.Status.Value}}
			}
		}
		return err
	})
	if v.Kind == vendors.Refused || v.Kind == vendors.Busy {
		return seen, done
	}
	return seen, v
}

// recollect reads the status off the request's sighting. ok is false if there is
// none.
func recollect(req vendors.Request) (status int64, ok bool) {
	d, ok := vendors.DetailOf[detail](req)
	return d.Status, ok
}
