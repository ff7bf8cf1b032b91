package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Reconcile looks for a trace of a lost mutation: the record of a restore, which
// carries our marker, or else the status while the work runs.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	var absent bool
	if req.Operation == vendors.Restore {
		found, complete, v := c.restores(ctx, req.InstanceID, intent.SignedAt, func(r restoreRecord) bool { return r.is(req.Marker, req.BackupID) })
		if v.Kind != vendors.Done {
			return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The restore records could not be read (%s), so nothing was compared. %s", v.Message, trail(req, intent))}
		}
		if len(found) > 0 {
			return recorded(req, intent, found, v)
		}
		absent = complete && req.Marker != ""
	}
	i, v := c.show(ctx, req.InstanceID)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: fmt.Sprintf("The instance could not be looked up (%s), so nothing was compared. %s", v.Message, trail(req, intent))}
	}
	if req.Operation == vendors.Restore {
		return unrecorded(req, intent, i, absent, c.account.Patience)
	}
	return conclude(req, intent, i)
}

// recorded says what records with our marker prove.
func recorded(req vendors.Request, intent vendors.Intent, found []restoreRecord, look vendors.Verdict) vendors.Finding {
	if len(found) > 1 {
		return vendors.Finding{Conclusion: vendors.Several, Evidence: fmt.Sprintf("Instance %s has %d restore records with our backup and the remark %q, where there can be one. %s", req.InstanceID, len(found), req.Marker, trail(req, intent))}
	}
	r := found[0]
	f := vendors.Finding{
		Conclusion: vendors.Ran,
		Task:       r.task(req, intent.SignedAt),
		Evidence:   vendors.Clean(fmt.Sprintf("Restore record %s carries our backup and the remark %q and has status %s.", r.ID, req.Marker, r.Status)),
	}
	switch r.Status {
	case recordSucceeded:
		f.Conclusion = vendors.RanDone
	case recordFailed:
		f.Conclusion, f.Verdict = vendors.RanError, r.failed(look)
	}
	return f
}

// unrecorded says what the absence of our record proves: that nothing ran, once
// nothing can run any more and the absence has lasted on an idle instance.
func unrecorded(req vendors.Request, intent vendors.Intent, i instance, absent bool, patience time.Duration) vendors.Finding {
	none := fmt.Sprintf("Instance %s is %s and has no restore record of backup %s with the remark %q", req.InstanceID, vendors.Clean(string(i.Status)), req.BackupID, req.Marker)
	switch {
	case !absent:
		return vendors.Finding{Evidence: fmt.Sprintf("Not all restore records of instance %s could be read, and none of those read is ours. %s", req.InstanceID, trail(req, intent))}
	case i.Status != running || i.working():
		return vendors.Finding{Evidence: none + ". " + trail(req, intent)}
	}
	return intent.Absent(patience, none, trail(req, intent))
}

// conclude says what the instance shows of a restart or flush. Nothing can show
// that these did not run: the API keeps no record of them.
func conclude(req vendors.Request, intent vendors.Intent, i instance) vendors.Finding {
	var was baseline
	if err := json.Unmarshal(intent.Baseline, &was); err != nil || was.Status == "" {
		return vendors.Finding{Evidence: "The baseline cannot be read, so there is nothing to compare with. " + trail(req, intent)}
	}
	status := string(i.Status)
	compared := fmt.Sprintf("Instance %s was %s %s at %s, before the call, and is %s %s now",
		req.InstanceID, vendors.Clean(was.Status), hadTask[was.TaskUnknown], was.At.Format(time.RFC3339), vendors.Clean(status), withTask[i.working()])
	// A task that may have been at work before the call is no trace of it.
	trace := status == busyStatus(req.Operation) || restarts(req.Operation) && i.working() && !was.TaskUnknown
	switch {
	case trace:
		return vendors.Finding{
			Conclusion: vendors.Ran,
			Task: vendors.Task{
				Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt,
				State: memory{SeenBusy: true, FromError: was.Status == faulty, TaskUnknown: was.TaskUnknown}.encode(),
			},
			Evidence: compared + ".",
		}
	case !i.working() && (status == running || status == was.Status):
		return vendors.Finding{Clear: true, Evidence: fmt.Sprintf("%s; the API keeps no record of a %s that is over. %s", compared, req.Operation, trail(req, intent))}
	}
	return vendors.Finding{Evidence: fmt.Sprintf("%s, which shows neither that the %s ran nor that it did not. %s", compared, req.Operation, trail(req, intent))}
}

// withTask puts into words whether an instance has a task, hadTask what is known of
// one before the call.
var (
	withTask = map[bool]string{true: "with a task at work", false: "without a task"}
	hadTask  = map[bool]string{true: "(a list does not tell of tasks)", false: "without a task"}
)

// traces is what the vendor's audit calls the operations. Source: Huawei Cloud,
// usermanual-dcs/dcs-ug-0312018.html.
var traces = map[vendors.Operation]string{
	vendors.Restart: "restartDCSInstance", vendors.SoftRestart: "restartDCSInstance",
	vendors.Flush: "flushDCSInstance", vendors.Restore: "restoreDCSInstance",
}

// trail says where a person finds what no look-up of ours can tell.
func trail(req vendors.Request, intent vendors.Intent) string {
	text := fmt.Sprintf("Look in Cloud Trace Service (CTS, service DCS) for the trace %s of %s from %s on, and at the instance in the console",
		traces[req.Operation], req.InstanceID, intent.SignedAt.UTC().Format(time.RFC3339))
	if req.Operation == vendors.Flush {
		return text + ": a key count that dropped then speaks for the flush."
	}
	return text + "."
}
