package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// clearLooks before this one must have found nothing, and patience must have
	// passed since the first, before a missing record proves that nothing ran:
	// records may appear late.
	clearLooks = 2
	patience   = time.Minute
)

// Reconcile looks for a trace of a lost mutation: the record of a restore, which
// carries our marker, or else the status while the work runs.
func (c *Client) Reconcile(ctx context.Context, req vendors.Request, intent vendors.Intent) vendors.Finding {
	var absent bool
	if req.Operation == vendors.Restore {
		found, complete, v := c.restores(ctx, req.InstanceID, intent.SignedAt, func(r restoreRecord) bool { return r.is(req.Marker, req.BackupID) })
		if v.Kind != vendors.Done {
			return vendors.Finding{Verdict: v, Evidence: "The look-up of the restore records failed, so nothing was compared."}
		}
		if len(found) > 0 {
			return recorded(req, intent, found, v)
		}
		absent = complete && req.Marker != ""
	}
	i, v := c.show(ctx, req.InstanceID)
	if v.Kind != vendors.Done {
		return vendors.Finding{Verdict: v, Evidence: "The look-up of the instance failed, so nothing was compared."}
	}
	if req.Operation == vendors.Restore {
		return unrecorded(req, intent, i, absent, time.Now())
	}
	return conclude(req, intent, i)
}

// recorded says what records with our marker prove.
func recorded(req vendors.Request, intent vendors.Intent, found []restoreRecord, look vendors.Verdict) vendors.Finding {
	if len(found) > 1 {
		return vendors.Finding{Conclusion: vendors.Several, Evidence: fmt.Sprintf("Instance %s has %d restore records with our backup and marker.", req.InstanceID, len(found))}
	}
	r := found[0]
	f := vendors.Finding{
		Conclusion: vendors.Ran,
		Task:       r.task(req, intent.SignedAt),
		Evidence:   vendors.Clean(fmt.Sprintf("Restore record %s carries our backup and marker and has status %s.", r.ID, r.Status)),
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
func unrecorded(req vendors.Request, intent vendors.Intent, i instance, absent bool, now time.Time) vendors.Finding {
	idle := i.Status == running && !i.working()
	waited := !intent.FirstLook.IsZero() && now.Sub(intent.FirstLook) >= patience
	f := vendors.Finding{
		Clear:    absent && idle,
		Evidence: vendors.Clean(fmt.Sprintf("Instance %s is %s and has no restore record with our backup and marker.", req.InstanceID, i.Status)),
	}
	switch {
	case !absent:
		f.Evidence = fmt.Sprintf("Not all restore records of instance %s could be read, and none of those read is ours.", req.InstanceID)
	case idle && intent.Lapsed && intent.LooksClear >= clearLooks && waited:
		f.Conclusion = vendors.NotRun
	}
	return f
}

// conclude says what the instance shows of a restart or flush. Nothing can show
// that these did not run: the API keeps no record of them.
func conclude(req vendors.Request, intent vendors.Intent, i instance) vendors.Finding {
	var was baseline
	_ = json.Unmarshal(intent.Baseline, &was) // Without it any status but RUNNING is a trace.
	status := string(i.Status)
	trace := status == busyStatus(req.Operation) || restarts(req.Operation) && i.working()
	switch {
	case trace:
		return vendors.Finding{
			Conclusion: vendors.Ran,
			Task: vendors.Task{
				Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: intent.SignedAt,
				State: memory{SeenBusy: true, FromError: was.Status == faulty}.encode(),
			},
			Evidence: vendors.Clean(fmt.Sprintf("Instance %s had no task before the call; now it is %s, task at work: %t.", req.InstanceID, status, i.working())),
		}
	case !i.working() && (status == running || status == was.Status):
		return vendors.Finding{Clear: true, Evidence: vendors.Clean(fmt.Sprintf("Instance %s is %s without a task, and the API keeps no record of a %s that is over.", req.InstanceID, status, req.Operation))}
	}
	return vendors.Finding{Evidence: vendors.Clean(fmt.Sprintf("Instance %s is %s, task at work: %t, which shows neither that the %s ran nor that it did not.", req.InstanceID, status, i.working(), req.Operation))}
}
