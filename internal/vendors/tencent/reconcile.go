package tencent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// looksNeeded is how many looks before this one must have found nothing before
// nothing is taken for an answer: rows may come late.
const looksNeeded = 2

// Reconcile compares the instance's tasks with the baseline.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	var b *baseline
	if err := json.Unmarshal(intent.Baseline, &b); err != nil || b == nil {
		return vendors.Finding{Evidence: "The baseline cannot be read, so there is nothing to compare with."}
	}
	history, complete, v := c.history(ctx, req.InstanceID)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: "The look-up of the tasks failed, so nothing was compared."}
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
		return vendors.Finding{Conclusion: vendors.Several, Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of this kind: %s.", req.InstanceID, len(ours), ids(ours))}
	case !complete:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The list of tasks of instance %s could not be read to its end.", req.InstanceID)}
	case len(ours) == 1:
		return c.adopt(ctx, req, intent, ours[0], v)
	case doubtful > 0:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of a kind that may be ours.", req.InstanceID, doubtful)}
	}
	return c.absent(ctx, req, intent, len(history)-b.Total)
}

// adopt takes the one new task for the lost mutation.
func (c *Client) adopt(ctx context.Context, req vendors.Request, intent vendors.Intent, row task, look vendors.Verdict) vendors.Finding {
	id, ok := taskID(row.ID)
	if !ok {
		return vendors.Finding{Verdict: look, Evidence: fmt.Sprintf("Instance %s has one new task of this kind, but without a usable id.", req.InstanceID)}
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
		p := c.progress(ctx, f.Task, row)
		if p.State == vendors.Failed {
			f.Conclusion, f.Verdict = vendors.RanError, p.Verdict
		}
	}
	return f
}

// absent judges a list without a trace of the mutation.
func (c *Client) absent(ctx context.Context, req vendors.Request, intent vendors.Intent, others int) vendors.Finding {
	found, ok, v := c.instance(ctx, req.InstanceID)
	nothing := fmt.Sprintf("Instance %s has no task of this kind that is newer than the baseline (%+d tasks in all)", req.InstanceID, others)
	switch {
	case v.Kind != vendors.Done:
		return vendors.Finding{Verdict: v, Evidence: nothing + ", but its status could not be read."}
	case !ok:
		return vendors.Finding{Verdict: v, Evidence: nothing + ", but it is gone."}
	case found.Status.Value != running:
		// The status may show our work before the list does.
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("%s, but its status is %d.", nothing, found.Status.Value)}
	}
	f := vendors.Finding{Clear: true, Verdict: v, Evidence: nothing + " and is running."}
	if intent.Lapsed && intent.LooksClear >= looksNeeded {
		f.Conclusion = vendors.NotRun
		f.Evidence = fmt.Sprintf("%s and is running, for the %d. time; the signature of the call has lapsed.", nothing, intent.LooksClear+1)
	}
	return f
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
