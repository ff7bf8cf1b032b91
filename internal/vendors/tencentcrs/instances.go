package tencentcrs

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// Status values of an instance. Source: Tencent Cloud docs 239/1384; the last two
// are of API 3.0, which shows the same instances.
const (
	toBeInitialised = 0
	inProcess       = 1
	running         = 2
	isolated        = -2
	toBeDeleted     = -3
	deleted         = -4
)

// instance is what is read of an instance.
type instance struct {
	ID     wire.String `json:"redisId"`
	Status wire.Int    `json:"status"`
}

// decodeInstances picks one instance from an answer of DescribeRedis.
func decodeInstances(e envelope, id string) (found instance, ok bool, err error) {
	var list struct {
		Instances []instance `json:"redisSet"`
	}
	if err := e.decode(&list); err != nil {
		return instance{}, false, err
	}
	if list.Instances == nil && !e.Total.Valid {
		return instance{}, false, errors.New("the answer is no list of instances")
	}
	for _, i := range list.Instances {
		if string(i.ID) != id {
			continue
		}
		if !i.Status.Valid {
			return instance{}, false, errors.New("the answer does not tell the status of the instance")
		}
		return i, true, nil
	}
	if len(list.Instances) > 0 || e.Total.Value > 0 {
		return instance{}, false, errors.New("the answer lists other instances than the one that was asked for")
	}
	return instance{}, false, nil
}

// instance asks for one instance. There is no look-up of several: DescribeRedis takes
// one id, and its list without one is no way round. By the words of its page it shows
// the instances of the basic network only unless VPCs are named, and whether its
// offset counts rows or pages is not clear (Tencent Cloud docs 239/1384).
func (c *Client) instance(ctx context.Context, id string) (found instance, ok bool, v vendors.Verdict) {
	params := map[string]string{"redisId": id, "limit": "20", "offset": "0"}
	v = c.look(ctx, actionInstances, params, func(e envelope) (err error) {
		found, ok, err = decodeInstances(e, id)
		return err
	})
	return found, ok, v
}

// Probe asks for a list of one instance.
func (c *Client) Probe(ctx context.Context) vendors.Verdict {
	return c.look(ctx, actionInstances, map[string]string{"limit": "1", "offset": "0"}, func(e envelope) error {
		if !e.Total.Valid {
			return errors.New("the answer is no list of instances")
		}
		return nil
	})
}

// ready says whether an instance can take work now. A status that is not known
// is waited for like work in process: it may end.
func ready(id string, status int64, look vendors.Verdict) vendors.Verdict {
	switch status {
	case running:
		return look
	case isolated, toBeDeleted, deleted:
		return badState.from(look, fmt.Sprintf("instance %s has status %d (isolated or deleted) and will not run again by waiting", id, status))
	case toBeInitialised, inProcess:
		return busy.from(look, fmt.Sprintf("instance %s has status %d: a flow is in process", id, status))
	}
	return busy.from(look, fmt.Sprintf("instance %s has the unknown status %d, the call needs %d (running)", id, status, running))
}
