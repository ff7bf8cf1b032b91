package tencent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Reconcile compares the instance's tasks with the baseline.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	var b *baseline
	if err := json.Unmarshal(intent.Baseline, &b); err != nil || b == nil {
		return vendors.Finding{Evidence: "The baseline cannot be read, so there is nothing to compare with. " + trail(req, intent)}
	}
	history, complete, v := c.history(ctx, req.InstanceID)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The tasks could not be read (%s), so nothing was compared. %s", v.Message, trail(req, intent))}
	}
	var ours []task
	doubtful := 0
	for _, t := range history {
		switch likeness := t.like(req.Operation); {
		case likeness == other || !b.newer(t):
		case likeness == same:
			ours = append(ours, t)
		default:
			doubtful++
		}
	}
	switch {
	case len(ours) > 1:
		return vendors.Finding{Conclusion: vendors.Several, Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of this kind, of which one at most is ours: %s. %s", req.InstanceID, len(ours), ids(ours), trail(req, intent))}
	case !complete:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The list of tasks of instance %s could not be read to its end. %s", req.InstanceID, trail(req, intent))}
	case len(ours) == 1:
		return c.adopt(ctx, req, intent, ours[0], v)
	case doubtful > 0:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of a kind that may be ours. %s", req.InstanceID, doubtful, trail(req, intent))}
	}
	return c.absent(ctx, req, intent, b.nothing(req, len(history)))
}

// adopt takes the one new task for the lost mutation.
func (c *Client) adopt(ctx context.Context, req vendors.Request, intent vendors.Intent, row task, look vendors.Verdict) vendors.Finding {
	id, ok := taskID(row.ID)
	if !ok {
		return vendors.Finding{Verdict: look, Evidence: fmt.Sprintf("Instance %s has one new task of this kind, but without a usable id. %s", req.InstanceID, trail(req, intent))}
	}
	f := vendors.Finding{
		Conclusion: vendors.Ran,
		Task:       vendors.Task{ID: id, Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt},
		Evidence:   fmt.Sprintf("Task %s is the only one of this kind on instance %s that is newer than the baseline.", id, req.InstanceID),
		Verdict:    look,
	}
	f.Verdict.Response.TaskID = id
	if !row.Result.Valid {
		return f
	}
	switch row.Result.Value {
	case resultDone:
		f.Conclusion = vendors.RanDone
	case resultFailed:
		p := c.ask(ctx, f.Task, row)
		if p.State == vendors.Failed {
			f.Conclusion, f.Verdict = vendors.RanError, p.Verdict
		}
	}
	return f
}

// absent judges a list without a trace of the mutation.
func (c *Client) absent(ctx context.Context, req vendors.Request, intent vendors.Intent, nothing string) vendors.Finding {
	found, ok, v := c.instance(ctx, req.InstanceID)
	switch {
	case v.Kind != vendors.Done:
		return vendors.Finding{Verdict: v, Evidence: nothing + ", but its status could not be read. " + trail(req, intent)}
	case !ok:
		return vendors.Finding{Verdict: v, Evidence: nothing + ", but it is gone. " + trail(req, intent)}
	case found.Status.Value != running:
		// The status may show our work before the list does.
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("%s, but its status is %d. %s", nothing, found.Status.Value, trail(req, intent))}
	}
	f := intent.Absent(c.account.Patience, nothing+" and is running", trail(req, intent))
	f.Verdict = v
	return f
}

// nothing says what was compared where no task is new.
func (b baseline) nothing(req vendors.Request, now int) string {
	before := "had none before the call"
	if b.Newest != "" {
		before = "had its newest at " + b.Newest + " (the vendor's time) before the call"
	}
	return fmt.Sprintf("Instance %s %s and has no newer task of this kind (%+d tasks in all)", req.InstanceID, before, now-b.Total)
}

// trail says where a person finds what no look-up of ours can tell.
func trail(req vendors.Request, intent vendors.Intent) string {
	kind := map[vendors.Operation]string{vendors.Flush: "004 (clear)", vendors.Restore: "010 (restore)"}[req.Operation]
	return fmt.Sprintf("Look in the instance's task list (DescribeTaskList, or in the console) for a task of type %s on %s from %s on, and who began it.",
		kind, req.InstanceID, intent.SignedAt.UTC().Format(time.RFC3339))
}

// ids lists tasks for a person.
func ids(tasks []task) string {
	const most = 10
	var list []string
	for _, t := range tasks[:min(len(tasks), most)] {
		id, _ := taskID(t.ID)
		list = append(list, id)
	}
	if len(tasks) > most {
		list = append(list, "...")
	}
	return strings.Join(list, ", ")
}
