package volcengine

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/jsonobject"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

var (
	unsupported = class{vendors.Refused, vendors.ReasonOperationUnsupported}
	unusable    = class{vendors.Refused, vendors.ReasonBackupUnusable}
)

// baseline is what Reconcile compares with. It proves that the instance was
// steady before the mutation.
type baseline struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

func (b baseline) encode() vendors.Baseline {
	o := jsonobject.Begin(make([]byte, 0, 64))
	o.Text("status", b.Status)
	o.Moment("at", b.At, time.RFC3339Nano)
	return o.End()
}

// Prepare looks the instance up, unless a survey has just shown it, and for a
// restore what it goes back to. What a list shows is answered from like a look-up by
// id: the two have the same field with the same values. What the documentation warns
// of is to conclude from an absence in the list, and an absence is no sighting.
func (c *Client) Prepare(ctx context.Context, req vendors.Request) (vendors.Baseline, vendors.Verdict) {
	if _, _, err := mutation(req); err != nil {
		return nil, unsupported.verdict(err.Error())
	}
	found, at, v := c.seen(ctx, req)
	if v.Kind != vendors.Done {
		return nil, v
	}
	if blocked := ready(req, found); blocked.Kind != vendors.Done {
		return nil, withResponse(blocked, v)
	}
	if req.Operation == vendors.Restore {
		if v = c.target(ctx, req); v.Kind != vendors.Done {
			return nil, v
		}
	}
	return baseline{string(found.Status), at}.encode(), v
}

// seen is the instance as the survey has shown it, or as a look-up does, and when
// the look began.
func (c *Client) seen(ctx context.Context, req vendors.Request) (instance, time.Time, vendors.Verdict) {
	if i, ok := recollect(req); ok {
		return i, req.Seen.At.UTC(), vendors.Verdict{Kind: vendors.Done}
	}
	at := time.Now().UTC()
	found, v := c.detail(ctx, req.InstanceID)
	return found, at, v
}

// ready says whether the instance can take the work now.
func ready(req vendors.Request, i instance) vendors.Verdict {
	status := string(i.Status)
	switch {
	case req.Operation == vendors.Restore && i.Class == standalone:
		return unsupported.verdict(fmt.Sprintf("instance %s is of class Standalone, which cannot be restored", req.InstanceID))
	case status == running:
		return vendors.Verdict{Kind: vendors.Done}
	case ended(status):
		return badState.verdict(fmt.Sprintf("instance %s is %s and will not become Running by waiting", req.InstanceID, status))
	}
	return busy.verdict(fmt.Sprintf("instance %s is %s, the call needs Running", req.InstanceID, status))
}

// target says whether a restore can go back to where the request wants.
func (c *Client) target(ctx context.Context, req vendors.Request) vendors.Verdict {
	if req.BackupID != "" {
		b, ok, v := c.backup(ctx, req.InstanceID, req.BackupID)
		switch {
		case v.Kind != vendors.Done:
			return v
		case !ok:
			return withResponse(missing(req.BackupID, req.InstanceID), v)
		case b.Status != backupIsReady:
			return withResponse(unusable.verdict(fmt.Sprintf("backup %s is %s, a restore needs %s", req.BackupID, b.Status, backupIsReady)), v)
		}
		return v
	}
	w, v := c.window(ctx, req.InstanceID)
	if v.Kind == vendors.Done && w.known() && !w.holds(req.TimePoint.Truncate(time.Second)) {
		return withResponse(unusable.verdict(fmt.Sprintf("instance %s can be restored to times from %s to %s, not to %s",
			req.InstanceID, instant(w.start), instant(w.end), instant(req.TimePoint))), v)
	}
	return v
}
