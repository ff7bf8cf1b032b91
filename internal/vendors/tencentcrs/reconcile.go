package tencentcrs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// looksNeeded is how many looks before this one must have found nothing before
// nothing is taken for an answer: rows may come late.
const looksNeeded = 2

// Reconcile compares the instance's tasks with the baseline.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	var b *baseline
	if err := json.Unmarshal(intent.Baseline, &b); err != nil || b == nil || b.Since == "" {
		return vendors.Finding{Evidence: "The baseline cannot be read, so there is nothing to compare with."}
	}
	history, complete, v := c.history(ctx, req.InstanceID, b.Since)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: "The look-up of the tasks failed, so nothing was compared."}
	}
	var ours []task
	doubtful := 0
	for _, t := range b.fresh(req.Operation, history) {
		if t.like(req.Operation) == same {
			ours = append(ours, t)
		} else {
			doubtful++
		}
	}
	switch {
	case len(ours) > 1:
		return vendors.Finding{Conclusion: vendors.Several, Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of this kind, of which the first began at %q and the last at %q.",
			req.InstanceID, len(ours), ours[0].started(), ours[len(ours)-1].started())}
	case !complete:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The list of tasks of instance %s could not be read to its end.", req.InstanceID)}
	case len(ours) == 1:
		return adopt(req, intent, b.Since, ours[0], v)
	case doubtful > 0:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of a kind that may be ours.", req.InstanceID, doubtful)}
	}
	return c.absent(ctx, req, intent, len(history)-b.Total)
}

// adopt takes the one new task for the lost mutation. Its id is not in the list
// and stays unknown; it is followed by its row.
func adopt(req vendors.Request, intent vendors.Intent, since string, row task, look vendors.Verdict) vendors.Finding {
	at := row.started()
	if at == "" {
		return vendors.Finding{Verdict: look, Evidence: fmt.Sprintf("Instance %s has one new task of this kind, but without a time by which it could be followed.", req.InstanceID)}
	}
	state, err := json.Marshal(memory{Since: since, StartTime: at})
	if err != nil {
		return vendors.Finding{Verdict: look, Evidence: fmt.Sprintf("The memory of the task cannot be written: %v.", err)}
	}
	return vendors.Finding{
		Conclusion: vendors.Ran,
		Task:       vendors.Task{Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt, State: state},
		Evidence:   fmt.Sprintf("The task of %s is the only one of this kind on instance %s that is newer than the baseline; adopted, id unknown.", at, req.InstanceID),
		Verdict:    look,
	}
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
