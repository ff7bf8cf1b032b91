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

// fewestRows is the API's own size of a page of instances.
const fewestRows = 20

// instance is what is read of an instance.
type instance struct {
	ID     wire.String `json:"InstanceId"`
	Status wire.Int
}

// instancePage is a result of DescribeInstances.
type instancePage struct {
	Total     wire.Int   `json:"TotalCount"`
	Instances []instance `json:"InstanceSet"`
}

func decodeInstances(result json.RawMessage) (instancePage, error) {
	var p instancePage
	if err := wire.Unmarshal(result, &p); err != nil || p.Instances == nil && !p.Total.Valid {
		return instancePage{}, errors.New("the result is no list of instances")
	}
	return p, nil
}

// pick gives one instance of a result. An unknown id is no error to the API, but an
// empty list.
func (p instancePage) pick(id string) (found instance, ok bool, err error) {
	for _, i := range p.Instances {
		if string(i.ID) != id {
			continue
		}
		if !i.Status.Valid {
			return instance{}, false, errors.New("the result does not tell the status of the instance")
		}
		return i, true, nil
	}
	if len(p.Instances) > 0 || p.Total.Value > 0 {
		return instance{}, false, errors.New("the result lists other instances than the one that was asked for")
	}
	return instance{}, false, nil
}

// instance asks for one instance.
func (c *Client) instance(ctx context.Context, id string) (found instance, ok bool, v vendors.Verdict) {
	params := map[string]any{"InstanceIds": []string{id}, "Limit": fewestRows, "Offset": 0}
	v = c.look(ctx, actionInstances, params, func(result json.RawMessage, _ func(string) string) error {
		p, err := decodeInstances(result)
		if err == nil {
			found, ok, err = p.pick(id)
		}
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
		if err := wire.Unmarshal(result, &list); err != nil || !list.Total.Valid {
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
