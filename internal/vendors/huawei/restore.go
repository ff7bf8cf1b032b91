package huawei

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Status values of a restore's record that end it.
const (
	recordSucceeded = "succeed"
	recordFailed    = "failed"
)

// pollRestores looks at the restores that may have ended, as many as a poll may ask
// about; those whose instance the list shows restoring need not be asked about.
func (c *Client) pollRestores(ctx context.Context, tasks []vendors.Task, seen map[string]sight) []vendors.Progress {
	var open []string
	for _, t := range tasks {
		if seen[t.InstanceID].status != restoring {
			open = append(open, t.InstanceID)
		}
	}
	asked := c.records.Take(open, singles)
	out := make([]vendors.Progress, len(tasks))
	for i, t := range tasks {
		switch s := seen[t.InstanceID]; {
		case s.status == restoring:
			out[i] = vendors.Progress{State: vendors.Running, Task: t, Verdict: s.verdict}
		case slices.Contains(asked, t.InstanceID):
			out[i] = c.pollRestore(ctx, t)
		default:
			out[i] = vendors.Progress{State: vendors.Unknown, Task: t, Verdict: postponed(len(open))}
		}
	}
	return out
}

// pollRestore looks at the record of a restore. A record that is not there yet
// may come late.
func (c *Client) pollRestore(ctx context.Context, t vendors.Task) vendors.Progress {
	m := recall(t)
	found, _, v := c.restores(ctx, t.InstanceID, t.AcceptedAt, func(r restoreRecord) bool {
		if t.ID != "" {
			return vendors.Clean(string(r.ID)) == t.ID
		}
		return r.is(m.Marker, m.Backup)
	})
	p := vendors.Progress{State: vendors.Running, Task: t, Verdict: v}
	if v.Kind != vendors.Done {
		p.State = vendors.Unknown
		return p
	}
	if len(found) != 1 {
		return p
	}
	p.Task.ID = vendors.Clean(string(found[0].ID))
	p.Verdict.Response.TaskID = p.Task.ID
	switch found[0].Status {
	case recordSucceeded:
		p.State = vendors.Succeeded
	case recordFailed:
		p.State = vendors.Failed
		p.Verdict = found[0].failed(p.Verdict)
	}
	return p
}

// is reports whether the record is of a restore with our marker and backup.
func (r restoreRecord) is(marker, backup string) bool {
	return marker != "" && string(r.Remark) == marker && string(r.BackupID) == backup
}

// failed is the verdict of a restore whose record says that it failed.
func (r restoreRecord) failed(look vendors.Verdict) vendors.Verdict {
	code := vendors.Clean(string(r.ErrorCode))
	v := withResponse(workFailed.verdict(strings.TrimSpace(fmt.Sprintf("restore %s failed %s", r.ID, code))), look)
	v.Response.Code, v.Response.TaskID = code, vendors.Clean(string(r.ID))
	return v
}

// task is the task of a restore that was found by its record.
func (r restoreRecord) task(req vendors.Request, at time.Time) vendors.Task {
	return vendors.Task{
		ID: vendors.Clean(string(r.ID)), Operation: vendors.Restore, InstanceID: req.InstanceID, AcceptedAt: at,
		State: memory{Marker: req.Marker, Backup: req.BackupID}.encode(),
	}
}
