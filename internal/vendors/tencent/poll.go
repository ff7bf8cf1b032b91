package tencent

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	// fewTasks are asked for one by one; for more of them the list, of which a
	// call shows a hundred, is kinder to the quota.
	fewTasks = 4
	// singles bounds the look-ups of one task that a poll makes, and pollPages the
	// pages of the list: one second of the quota of the one, and two of the other.
	singles   = 20
	pollPages = 200
	// leeway is how far before the oldest task the list starts: its times carry
	// no zone, and a day covers every zone there is.
	leeway = 24 * time.Hour
)

// Poll asks for a few tasks one by one and for many by the list. Those for which the
// list does not say enough are asked for one by one, as many as a poll may ask for;
// whoever had no turn among these is Unknown.
func (c *Client) Poll(ctx context.Context, tasks []vendors.Task) []vendors.Progress {
	rows, listing := map[string]task{}, vendors.Verdict{Kind: vendors.Done}
	if len(tasks) > fewTasks {
		rows, listing = c.recent(ctx, tasks)
	}
	out := make([]vendors.Progress, len(tasks))
	var open []int
	for i, t := range tasks {
		row, ok := rows[t.ID]
		if !ok && listing.Kind != vendors.Done {
			// The list failed; asking for each of these would fail in the same way.
			out[i] = vendors.Progress{State: vendors.Unknown, Task: t, Verdict: listing}
			continue
		}
		if out[i], ok = told(t, row); !ok {
			open = append(open, i)
		}
	}
	c.single(ctx, tasks, rows, open, out)
	return out
}

// single asks for some of the tasks one by one, by their places in tasks.
func (c *Client) single(ctx context.Context, tasks []vendors.Task, rows map[string]task, open []int, out []vendors.Progress) {
	var ids []string
	for _, i := range open {
		ids = append(ids, tasks[i].ID)
	}
	asked := c.infos.Take(ids, singles)
	for _, i := range open {
		t := tasks[i]
		if slices.Contains(asked, t.ID) {
			out[i] = c.ask(ctx, t, rows[t.ID])
			continue
		}
		out[i] = vendors.Progress{State: vendors.Unknown, Task: t, Verdict: unavailable.verdict(fmt.Sprintf(
			"not asked about in this poll: the list does not say enough of %d tasks, and a poll asks about %d, in turns", len(open), singles))}
	}
}

// recent pages through the account's recent tasks until all that are wanted were
// seen, or the list has more pages left than there are tasks to find.
func (c *Client) recent(ctx context.Context, tasks []vendors.Task) (map[string]task, vendors.Verdict) {
	wanted, oldest := map[string]bool{}, tasks[0].AcceptedAt
	for _, t := range tasks {
		wanted[t.ID] = true
		if t.AcceptedAt.Before(oldest) {
			oldest = t.AcceptedAt
		}
	}
	seen := map[string]task{}
	rows := pages{limit: pollPages}
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
		rows.read(len(p.Tasks), p.Total)
		if rows.left(p.Total) > int64(len(wanted)-len(seen)) {
			break
		}
	}
	return seen, vendors.Verdict{Kind: vendors.Done}
}

// told says how far a task is by its row in the list. ok is false if that does not
// say enough: the row of a failed task lacks the reason, and one with an unknown
// result lacks everything.
func told(t vendors.Task, row task) (p vendors.Progress, ok bool) {
	p = vendors.Progress{Task: t, Verdict: vendors.Verdict{Kind: vendors.Done, Response: vendors.Response{TaskID: t.ID}}}
	if !row.of(t) || !row.Result.Valid {
		return p, false
	}
	switch row.Result.Value {
	case resultInit, resultRunning:
		p.State = vendors.Running
	case resultDone:
		p.State = vendors.Succeeded
	default:
		return p, false
	}
	return p, true
}

// of reports whether the row can be that of work that is followed, whose id it has.
func (t task) of(work vendors.Task) bool {
	return t.InstanceID == "" || string(t.InstanceID) == work.InstanceID
}

// ask asks for one task. The list's word that it failed stands, also if the reason
// cannot be read.
func (c *Client) ask(ctx context.Context, t vendors.Task, row task) vendors.Progress {
	found, v := c.task(ctx, t.ID, t.InstanceID)
	if v.Kind != vendors.Done {
		if row.of(t) && row.Result == (wire.Int{Value: resultFailed, Valid: true}) {
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
