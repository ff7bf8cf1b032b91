package tencent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// Status values of an instance. Source: Tencent Cloud docs 239/20018.
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
	ID     wire.String `json:"InstanceId"`
	Status wire.Int
}

// decodeInstances picks one instance from a result of DescribeInstances. An
// unknown id is no error to the API, but an empty list.
func decodeInstances(result json.RawMessage, id string) (found instance, ok bool, err error) {
	var list struct {
		Total     wire.Int   `json:"TotalCount"`
		Instances []instance `json:"InstanceSet"`
	}
	if err := json.Unmarshal(result, &list); err != nil || list.Instances == nil && !list.Total.Valid {
		return instance{}, false, errors.New("the result is no list of instances")
	}
	for _, i := range list.Instances {
		if string(i.ID) != id {
			continue
		}
		if !i.Status.Valid {
			return instance{}, false, errors.New("the result does not tell the status of the instance")
		}
		return i, true, nil
	}
	if len(list.Instances) > 0 || list.Total.Value > 0 {
		return instance{}, false, errors.New("the result lists other instances than the one that was asked for")
	}
	return instance{}, false, nil
}

// instance asks for one instance.
func (c *Client) instance(ctx context.Context, id string) (found instance, ok bool, v vendors.Verdict) {
	params := map[string]any{"InstanceIds": []string{id}, "Limit": 20, "Offset": 0}
	v = c.look(ctx, actionInstances, params, func(result json.RawMessage, _ func(string) string) (err error) {
		found, ok, err = decodeInstances(result, id)
		return err
	})
	return found, ok, v
}

// Probe asks for a list of one instance.
func (c *Client) Probe(ctx context.Context) vendors.Verdict {
	return c.look(ctx, actionInstances, map[string]any{"Limit": 1, "Offset": 0}, func(result json.RawMessage, _ func(string) string) error {
		var list struct {
			Total wire.Int `json:"TotalCount"`
		}
		if err := json.Unmarshal(result, &list); err != nil || !list.Total.Valid {
			return errors.New("the result is no list of instances")
		}
		return nil
	})
}

// ready says whether the instance can take work now. A status that is not known
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
