package tencentcrs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Reconcile compares the instance's tasks with the baseline.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	var b *baseline
	if err := json.Unmarshal(intent.Baseline, &b); err != nil || b == nil || b.Since == "" {
		return vendors.Finding{Evidence: "The baseline cannot be read, so there is nothing to compare with. " + trail(req, intent)}
	}
	history, complete, v := c.history(ctx, req.InstanceID, b.Since)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The tasks could not be read (%s), so nothing was compared. %s", v.Message, trail(req, intent))}
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
		return vendors.Finding{Conclusion: vendors.Several, Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of this kind, of which one at most is ours: the first began at %q and the last at %q. %s",
			req.InstanceID, len(ours), ours[0].started(), ours[len(ours)-1].started(), trail(req, intent))}
	case !complete:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The list of tasks of instance %s could not be read to its end. %s", req.InstanceID, trail(req, intent))}
	case len(ours) == 1:
		return adopt(req, intent, b.Since, ours[0], v)
	case doubtful > 0:
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("Instance %s has %d new tasks of a kind that may be ours. %s", req.InstanceID, doubtful, trail(req, intent))}
	}
	return c.absent(ctx, req, intent, b.nothing(req, len(history)))
}

// adopt takes the one new task for the lost mutation. Its id is not in the list
// and stays unknown; it is followed by its row.
func adopt(req vendors.Request, intent vendors.Intent, since string, row task, look vendors.Verdict) vendors.Finding {
	at := row.started()
	if at == "" {
		return vendors.Finding{Verdict: look, Evidence: fmt.Sprintf("Instance %s has one new task of this kind, but without a time by which it could be followed. %s", req.InstanceID, trail(req, intent))}
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
	kind := map[vendors.Operation]string{vendors.Flush: "cleanInstance", vendors.Restore: "restoreBackup"}[req.Operation]
	return fmt.Sprintf("Look in the instance's task list (GetRedisTaskList, or in the console) for %s on %s from %s on; the list has no ids.",
		kind, req.InstanceID, intent.SignedAt.UTC().Format(time.RFC3339))
}
