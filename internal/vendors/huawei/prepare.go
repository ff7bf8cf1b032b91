package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// oldestFlush is the first engine version that can be flushed.
const oldestFlush = 4

// baseline is what Reconcile compares with. It proves that the instance had no
// task before the mutation, unless TaskUnknown: a list leaves tasks out.
type baseline struct {
	Status      string    `json:"status"`
	At          time.Time `json:"at"`
	TaskUnknown bool      `json:"taskUnknown,omitempty"`
}

// Prepare looks the instance up, unless a survey has just shown it, and for a
// restore the backup. What a list shows is answered from like a look-up by id:
// nothing in the documentation makes its status less true than that of
// ShowInstance, and it has the same values. All that it lacks is the task.
func (c *Client) Prepare(ctx context.Context, req vendors.Request) (vendors.Baseline, vendors.Verdict) {
	if _, v := mutation(req); v.Kind != vendors.Done {
		return nil, v
	}
	found, was, v := c.seen(ctx, req)
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
	base, err := json.Marshal(was)
	if err != nil {
		return nil, refused.verdict(fmt.Sprintf("baseline of %s: %v", req.InstanceID, err))
	}
	return base, v
}

// seen is the instance as the survey has shown it, or as a look-up does.
func (c *Client) seen(ctx context.Context, req vendors.Request) (instance, baseline, vendors.Verdict) {
	if d, ok := recollect(req); ok {
		return d.instance(req.InstanceID), baseline{d.Status, req.Seen.At.UTC(), d.Task == nil}, vendors.Verdict{Kind: vendors.Done}
	}
	at := time.Now().UTC()
	found, v := c.show(ctx, req.InstanceID)
	return found, baseline{Status: string(found.Status), At: at}, v
}

// ready says whether the instance can take the work at all, and whether now.
func ready(req vendors.Request, i instance) vendors.Verdict {
	status := string(i.Status)
	switch {
	case req.Operation == vendors.Flush && tooOld(string(i.EngineVersion)):
		return unsupported.verdict(fmt.Sprintf("instance %s runs engine version %s, only Redis %d.0 and later can be flushed", req.InstanceID, i.EngineVersion, oldestFlush))
	case req.Operation == vendors.Restore && i.CacheMode == "single":
		return unsupported.verdict(fmt.Sprintf("instance %s is single-node, which cannot be restored", req.InstanceID))
	case ended(status) && !(status == faulty && restarts(req.Operation)):
		return badState.verdict(fmt.Sprintf("instance %s is %s and will not become RUNNING by waiting", req.InstanceID, status))
	case i.working():
		return busy.verdict(fmt.Sprintf("instance %s is %s with a task at work", req.InstanceID, status))
	case status != running && status != faulty:
		return busy.verdict(fmt.Sprintf("instance %s is %s, the call needs RUNNING", req.InstanceID, status))
	}
	return vendors.Verdict{Kind: vendors.Done}
}

// tooOld reports an engine version that cannot be flushed. The vendor judges
// those that cannot be read.
func tooOld(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(strings.TrimSpace(major))
	return err == nil && n < oldestFlush
}

// target says whether the instance can be restored from the request's backup.
func (c *Client) target(ctx context.Context, req vendors.Request) vendors.Verdict {
	b, ok, v := c.backup(ctx, req.InstanceID, req.BackupID)
	switch {
	case v.Kind != vendors.Done:
		return v
	case !ok:
		return withResponse(noBackup.verdict(fmt.Sprintf("instance %s has no backup %s", req.InstanceID, req.BackupID)), v)
	case !b.usable():
		return withResponse(unusable.verdict(fmt.Sprintf("backup %s cannot be restored from: its status is %s and is_support_restore is %q", req.BackupID, b.Status, b.Restorable)), v)
	}
	return v
}
