package volcengine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// grace is how long an instance must stay Running to count as done although
	// it was never seen busy: right after a call its status may lag.
	grace = 30 * time.Second
	// fewTasks are cheaper to ask for one by one than by the list.
	fewTasks = 2
	pageSize = 100
	// maxPages ends a list that does not end itself; accounts have 50 instances
	// by default (Volcengine docs 6293/71560).
	maxPages = 100
)

// memory is what is known of a task from its earlier looks.
type memory struct {
	// SeenBusy: the instance was seen at this task's work.
	SeenBusy bool `json:"seenBusy,omitempty"`
	// OtherAt is when it was last seen busy with something else.
	OtherAt time.Time `json:"otherAt,omitzero"`
}

// sight is what a look showed of an instance: its status, or with another
// verdict than Done why there is none.
type sight struct {
	status  string
	verdict vendors.Verdict
}

// Poll looks at the status of every task's instance.
func (c *Client) Poll(ctx context.Context, tasks []vendors.Task) []vendors.Progress {
	sights := c.sights(ctx, tasks)
	now := time.Now()
	out := make([]vendors.Progress, len(tasks))
	for i, t := range tasks {
		out[i] = advance(t, sights[t.InstanceID], now)
	}
	return out
}

// advance works out how far a task is from one more look at its instance.
func advance(t vendors.Task, s sight, now time.Time) vendors.Progress {
	if s.verdict.Kind != vendors.Done {
		return vendors.Progress{State: vendors.Unknown, Task: t, Verdict: s.verdict}
	}
	var m memory
	_ = json.Unmarshal(t.State, &m) // A lost memory only makes us wait longer.
	p := vendors.Progress{State: vendors.Running, Verdict: s.verdict}
	switch {
	case s.status == taskFailed || s.status == createFailed:
		p.State = vendors.Failed
		p.Verdict = withResponse(class{vendors.Refused, vendors.ReasonTaskFailed}.verdict(fmt.Sprintf("instance %s went to %s", t.InstanceID, s.status)), s.verdict)
	case s.status != running && s.status == busyStatus(t.Operation):
		m.SeenBusy = true
	case s.status != running:
		m.OtherAt = now.UTC()
	case m.SeenBusy || !now.Before(later(t.AcceptedAt, m.OtherAt).Add(grace)):
		p.State = vendors.Succeeded
	}
	p.Task = t
	p.Task.State, _ = json.Marshal(m)
	return p
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sights looks at the instances of all tasks in as few calls as it can.
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
				if _, ok := seen[id]; !ok {
					seen[id] = sight{verdict: v}
				}
			}
		}
	}
	// Absence from the list proves nothing: it leaves out Enterprise instances,
	// and its pages may shift between two calls.
	for _, t := range tasks {
		if _, ok := seen[t.InstanceID]; !ok {
			found, v := c.detail(ctx, t.InstanceID)
			seen[t.InstanceID] = sight{string(found.Status), v}
		}
	}
	return seen
}

// list pages through the instances until all that are wanted were seen, or the
// list ends.
func (c *Client) list(ctx context.Context, wanted map[string]bool, seen map[string]sight) vendors.Verdict {
	var rows int64
	for number := 1; number <= maxPages; number++ {
		p, v := c.instances(ctx, number, pageSize)
		if v.Kind != vendors.Done {
			return v
		}
		for _, i := range p.Instances {
			if wanted[string(i.ID)] && i.Status != "" {
				seen[string(i.ID)] = sight{string(i.Status), v}
			}
		}
		rows += int64(len(p.Instances))
		if len(p.Instances) == 0 || p.Total.Valid && rows >= p.Total.Value || len(seen) == len(wanted) {
			break
		}
	}
	return vendors.Verdict{Kind: vendors.Done}
}

// Probe asks for a list of one instance.
func (c *Client) Probe(ctx context.Context) vendors.Verdict {
	_, v := c.instances(ctx, 1, 1)
	return v
}
