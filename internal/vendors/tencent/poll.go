package tencent

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	// fewTasks are asked for one by one; for more of them the list, of which a
	// call shows a hundred, is kinder to the quota.
	fewTasks = 4
	// leeway is how far before the oldest task the list starts: its times carry
	// no zone, and a day covers every zone there is.
	leeway = 24 * time.Hour
)

// Poll asks for a few tasks one by one and for many by the list.
func (c *Client) Poll(ctx context.Context, tasks []vendors.Task) []vendors.Progress {
	rows, v := map[string]task{}, vendors.Verdict{Kind: vendors.Done}
	if len(tasks) > fewTasks {
		rows, v = c.recent(ctx, tasks)
	}
	out := make([]vendors.Progress, len(tasks))
	for i, t := range tasks {
		row, ok := rows[t.ID]
		if !ok && v.Kind != vendors.Done {
			// The list failed; asking for each of these would fail in the same way.
			out[i] = vendors.Progress{State: vendors.Unknown, Task: t, Verdict: v}
			continue
		}
		out[i] = c.progress(ctx, t, row)
	}
	return out
}

// recent pages through the account's recent tasks until all that are wanted were
// seen, or further pages would cost more than asking for each task.
func (c *Client) recent(ctx context.Context, tasks []vendors.Task) (map[string]task, vendors.Verdict) {
	wanted, oldest := map[string]bool{}, tasks[0].AcceptedAt
	for _, t := range tasks {
		wanted[t.ID] = true
		if t.AcceptedAt.Before(oldest) {
			oldest = t.AcceptedAt
		}
	}
	seen := map[string]task{}
	rows := pages{limit: len(tasks)}
	for rows.next() {
		params := map[string]any{"Limit": pageSize, "Offset": rows.offset()}
		if !oldest.IsZero() {
			params["BeginTime"] = oldest.UTC().Add(-leeway).Format(time.DateTime)
		}
		p, v := c.tasks(ctx, params)
		if v.Kind != vendors.Done {
			return seen, v
		}
		for _, row := range p.Tasks {
			if id, ok := taskID(row.ID); ok && wanted[id] {
				seen[id] = row
			}
		}
		if len(seen) == len(wanted) {
			break
		}
		rows.read(len(p.Tasks), p.Total)
	}
	return seen, vendors.Verdict{Kind: vendors.Done}
}

// progress works out how far a task is, from its row in the list if that says
// enough. The row of a failed task lacks the reason, and one with an unknown
// result lacks everything.
func (c *Client) progress(ctx context.Context, t vendors.Task, row task) vendors.Progress {
	ours := row.InstanceID == "" || string(row.InstanceID) == t.InstanceID
	if ours && row.Result.Valid {
		v := vendors.Verdict{Kind: vendors.Done, Response: vendors.Response{TaskID: t.ID}}
		switch row.Result.Value {
		case resultInit, resultRunning:
			return vendors.Progress{State: vendors.Running, Task: t, Verdict: v}
		case resultDone:
			return vendors.Progress{State: vendors.Succeeded, Task: t, Verdict: v}
		}
	}
	found, v := c.task(ctx, t.ID, t.InstanceID)
	if v.Kind != vendors.Done {
		if ours && row.Result == (wire.Int{Value: resultFailed, Valid: true}) {
			return vendors.Progress{State: vendors.Failed, Task: t, Verdict: failed(t, status{}, v)}
		}
		return vendors.Progress{State: vendors.Unknown, Task: t, Verdict: v}
	}
	p := vendors.Progress{State: found.state(), Task: t, Verdict: v}
	if p.State == vendors.Failed {
		p.Verdict = failed(t, found, v)
	}
	return p
}

// failed is the verdict on a task that failed, in the vendor's words.
func failed(t vendors.Task, s status, look vendors.Verdict) vendors.Verdict {
	v := taskFailed.from(look, fmt.Sprintf("task %s of instance %s failed: %s", t.ID, t.InstanceID, cmp.Or(string(s.Message), "the vendor gives no reason")))
	v.Response.Message = string(s.Message)
	return v
}
