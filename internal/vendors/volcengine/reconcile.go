package volcengine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Reconcile looks for a trace of a lost mutation. The only trace is the busy
// status while the work runs: the API keeps no record that would show that
// nothing ran, so the answer is never NotRun. Sending the call once more to see
// what the vendor makes of its ClientToken is no way to find out either: what a
// repeated token does is not documented.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	found, v := c.detail(ctx, req.InstanceID)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The instance could not be looked up (%s), so nothing was compared. %s", v.Message, trail(req, intent))}
	}
	return conclude(req, intent, string(found.Status))
}

// conclude says what the status of the instance proves about the mutation.
func conclude(req vendors.Request, intent vendors.Intent, status string) vendors.Finding {
	var was baseline
	if err := json.Unmarshal(intent.Baseline, &was); err != nil || was.Status == "" {
		return vendors.Finding{Evidence: "The baseline cannot be read, so there is nothing to compare with. " + trail(req, intent)}
	}
	compared := fmt.Sprintf("Instance %s was %s at %s, before the call, and is %s now", req.InstanceID, vendors.Clean(was.Status), instant(was.At), vendors.Clean(status))
	switch {
	case status == busyStatus(req.Operation):
		state, _ := json.Marshal(memory{SeenBusy: true})
		return vendors.Finding{
			Conclusion: vendors.Ran,
			Task:       vendors.Task{Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt, State: state},
			Evidence:   compared + ".",
		}
	case status != running:
		return vendors.Finding{Evidence: fmt.Sprintf("%s, which shows neither that the %s ran nor that it did not. %s", compared, req.Operation, trail(req, intent))}
	case req.Operation == vendors.Flush:
		return vendors.Finding{Clear: true, Evidence: compared + ", which says nothing: the API has no status and no record of a flush. " + trail(req, intent)}
	}
	return vendors.Finding{Clear: true, Evidence: fmt.Sprintf("%s; %s was not seen, and the API keeps no record of a %s that is over. %s",
		compared, busyStatus(req.Operation), req.Operation, trail(req, intent))}
}

// trail says where a person finds what no look-up of ours can tell.
func trail(req vendors.Request, intent vendors.Intent) string {
	text := fmt.Sprintf("Look in CloudTrail (LookupEvents) for %s on %s from %s on, and at the instance in the console", Facts().Actions[req.Operation], req.InstanceID, instant(intent.SignedAt))
	if req.Operation == vendors.Flush {
		return text + ": a key count that dropped then speaks for the flush."
	}
	return text + "."
}
