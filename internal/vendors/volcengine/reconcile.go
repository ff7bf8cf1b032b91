package volcengine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Reconcile looks for a trace of a lost mutation. The only trace is the busy
// status while the work runs: the API keeps no record that would show that
// nothing ran, so the answer is never NotRun.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	found, v := c.detail(ctx, req.InstanceID)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: "The look-up of the instance failed, so nothing was compared."}
	}
	return conclude(req, intent, string(found.Status))
}

// conclude says what the status of the instance proves about the mutation.
func conclude(req vendors.Request, intent vendors.Intent, status string) vendors.Finding {
	switch {
	case status == busyStatus(req.Operation):
		state, _ := json.Marshal(memory{SeenBusy: true})
		return vendors.Finding{
			Conclusion: vendors.Ran,
			Task:       vendors.Task{Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt, State: state},
			Evidence:   fmt.Sprintf("Instance %s was Running before the call and is %s now.", req.InstanceID, status),
		}
	case status != running:
		return vendors.Finding{Evidence: fmt.Sprintf("Instance %s is %s, which shows neither that the %s ran nor that it did not.", req.InstanceID, status, req.Operation)}
	case req.Operation == vendors.Flush:
		return vendors.Finding{Clear: true, Evidence: fmt.Sprintf("Instance %s is Running; the API has no status and no record of a flush.", req.InstanceID)}
	}
	return vendors.Finding{Clear: true, Evidence: fmt.Sprintf("Instance %s is Running, and the API keeps no record of a %s that is over.", req.InstanceID, req.Operation)}
}
