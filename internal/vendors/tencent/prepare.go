package tencent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// baseline is what Reconcile compares with: the newest work of our kind that the
// vendor's list had before the mutation.
type baseline struct {
	// Newest is the latest start, IDs are the tasks that share it or have none.
	// Task ids are not documented to grow, so they do not tell old from new.
	Newest string   `json:"newest,omitempty"`
	IDs    []string `json:"ids,omitempty"`
	// Total is the number of tasks of any kind, for the evidence.
	Total int `json:"total"`
}

// newBaseline reads the baseline of an operation off the history.
func newBaseline(op vendors.Operation, history []task) baseline {
	b := baseline{Total: len(history)}
	for _, t := range history {
		if t.like(op) != other {
			b.Newest = max(b.Newest, t.started())
		}
	}
	for _, t := range history {
		id, ok := taskID(t.ID)
		if at := t.started(); ok && t.like(op) != other && (at == "" || at == b.Newest) {
			b.IDs = append(b.IDs, id)
		}
	}
	return b
}

// newer reports whether a row came after the baseline. No work was unfinished
// then, so that unfinished work is new whatever its start.
func (b baseline) newer(t task) bool {
	if id, ok := taskID(t.ID); ok && slices.Contains(b.IDs, id) {
		return false
	}
	at := t.started()
	return at == "" || t.unfinished() || at >= b.Newest
}

// Prepare looks the instance up, unless a survey has just shown it, for a restore the
// backup, and last the list of tasks, so that the baseline is as fresh as can be. A
// survey makes the same look-up as Prepare, so its answer is as good.
func (c *Client) Prepare(ctx context.Context, req vendors.Request) (vendors.Baseline, vendors.Verdict) {
	if _, _, v := mutation(req); v.Kind != vendors.Done {
		return nil, v
	}
	v := c.able(ctx, req)
	if v.Kind != vendors.Done {
		return nil, v
	}
	if req.Operation == vendors.Restore {
		if v = c.restorable(ctx, req.InstanceID, req.BackupID); v.Kind != vendors.Done {
			return nil, v
		}
	}
	history, complete, v := c.history(ctx, req.InstanceID)
	switch {
	case v.Kind != vendors.Done:
		return nil, v
	case !complete:
		return nil, unavailable.verdict(fmt.Sprintf("the list of tasks of instance %s could not be read to its end, so that a later look would have nothing to compare with", req.InstanceID))
	case slices.ContainsFunc(history, task.unfinished):
		return nil, busy.verdict(fmt.Sprintf("instance %s has a task that is not finished", req.InstanceID))
	}
	if late := c.late(req, history); late.Kind != vendors.Done {
		return nil, late
	}
	base, err := json.Marshal(newBaseline(req.Operation, history))
	if err != nil {
		return nil, refused.verdict(fmt.Sprintf("baseline of %s: %v", req.InstanceID, err))
	}
	return base, v
}

// able says whether the instance can take the work now, by the survey or by a
// look-up.
func (c *Client) able(ctx context.Context, req vendors.Request) vendors.Verdict {
	if status, ok := recollect(req); ok {
		return ready(req.InstanceID, status, vendors.Verdict{Kind: vendors.Done})
	}
	found, ok, v := c.instance(ctx, req.InstanceID)
	switch {
	case v.Kind != vendors.Done:
		return v
	case !ok:
		return noInstance.from(v, fmt.Sprintf("region %s has no instance %s", c.account.Region, req.InstanceID))
	}
	return ready(req.InstanceID, found.Status.Value, v)
}

// late says whether the list of tasks lacks work of this kind that we know to
// have been taken. The baseline would lack it too, and its row would later pass
// for that of another call.
func (c *Client) late(req vendors.Request, history []task) vendors.Verdict {
	since, missing := c.unlisted.Missing(req, func(before vendors.Baseline) bool {
		var b baseline
		if err := json.Unmarshal(before, &b); err != nil {
			return true // nothing to compare with, so nothing to wait for
		}
		return slices.ContainsFunc(history, func(t task) bool { return t.like(req.Operation) != other && b.newer(t) })
	})
	if missing {
		return busy.verdict(fmt.Sprintf("the list of tasks of instance %s does not show yet the %s that was taken at %s", req.InstanceID, req.Operation, since.UTC().Format(time.RFC3339)))
	}
	return vendors.Verdict{Kind: vendors.Done}
}
