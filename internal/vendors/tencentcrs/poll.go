package tencentcrs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// memory is how a task without an id is found again: by its row.
type memory struct {
	// Since is where the list is read from, StartTime the row's own time.
	Since     string `json:"since"`
	StartTime string `json:"startTime"`
}

// Poll asks for every task by itself: the list of tasks, which shows many at
// once, does not say which row is which task.
func (c *Client) Poll(ctx context.Context, tasks []vendors.Task) []vendors.Progress {
	out := make([]vendors.Progress, len(tasks))
	for i, t := range tasks {
		if t.ID == "" {
			out[i] = c.followRow(ctx, t)
			continue
		}
		out[i] = c.follow(ctx, t)
	}
	return out
}

// follow asks for a task by its id.
func (c *Client) follow(ctx context.Context, t vendors.Task) vendors.Progress {
	id, ok := taskID(wire.String(t.ID))
	if !ok {
		return vendors.Progress{Task: t, Verdict: refused.verdict("the task's id is no number and cannot be asked for")}
	}
	var status int64
	v := c.look(ctx, actionTask, map[string]string{"requestId": id}, func(e envelope) (err error) {
		status, err = decodeStatus(e)
		return err
	})
	v.Response.TaskID = id
	if v.Kind != vendors.Done {
		return vendors.Progress{Task: t, Verdict: v}
	}
	return progress(t, state(status), v)
}

// followRow looks for the row of a task whose id was lost with the answer.
func (c *Client) followRow(ctx context.Context, t vendors.Task) vendors.Progress {
	var m memory
	if err := json.Unmarshal(t.State, &m); err != nil || m.StartTime == "" {
		return vendors.Progress{Task: t, Verdict: refused.verdict("the task has neither an id nor the time of its row and cannot be followed")}
	}
	history, _, v := c.history(ctx, t.InstanceID, m.Since)
	if v.Kind != vendors.Done {
		return vendors.Progress{Task: t, Verdict: v}
	}
	reached := map[vendors.TaskState]bool{}
	for _, row := range history {
		if row.like(t.Operation) == same && row.started() == m.StartTime && row.Status.Valid {
			reached[state(row.Status.Value)] = true
		}
	}
	switch {
	case len(reached) == 0:
		return vendors.Progress{Task: t, Verdict: unavailable.verdict(fmt.Sprintf("instance %s shows no task of %s", t.InstanceID, m.StartTime))}
	case reached[vendors.Running]:
		return progress(t, vendors.Running, v)
	case len(reached) > 1:
		return vendors.Progress{Task: t, Verdict: unavailable.verdict(fmt.Sprintf("instance %s shows tasks of %s that ended differently", t.InstanceID, m.StartTime))}
	case reached[vendors.Failed]:
		return progress(t, vendors.Failed, v)
	}
	// The row alone is thin proof of an end; the instance must be back too.
	found, ok, v := c.instance(ctx, t.InstanceID)
	switch {
	case v.Kind != vendors.Done:
		return vendors.Progress{Task: t, Verdict: v}
	case ok && (found.Status.Value == inProcess || found.Status.Value == toBeInitialised):
		return progress(t, vendors.Running, v)
	}
	return progress(t, vendors.Succeeded, v)
}

// progress is the state of a task with the verdict that goes with it. The API
// says of a failed task only that it failed.
func progress(t vendors.Task, reached vendors.TaskState, look vendors.Verdict) vendors.Progress {
	p := vendors.Progress{State: reached, Task: t, Verdict: look}
	if reached == vendors.Failed {
		p.Verdict = taskFailed.from(look, fmt.Sprintf("the %s of instance %s failed; the vendor gives no reason", t.Operation, t.InstanceID))
	}
	return p
}
