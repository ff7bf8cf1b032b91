package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// mutation gives the call of a request. The verdict is Done, or says why there
// can be none.
func mutation(req vendors.Request) (message, vendors.Verdict) {
	done := vendors.Verdict{Kind: vendors.Done}
	if !wellFormed(req.InstanceID) {
		return message{}, malformed(req.InstanceID)
	}
	switch req.Operation {
	case vendors.Restart, vendors.SoftRestart, vendors.Flush:
		// One id per call: only then a refusal comes with its reason.
		body := map[string]any{"instances": []string{req.InstanceID}, "action": string(req.Operation)}
		return message{action: actionStatus, method: http.MethodPut, path: "/instances/status", body: body}, done
	case vendors.Restore:
		if req.BackupID == "" {
			return message{}, unsupported.verdict("a restore needs a backup to go back to: DCS has no points in time")
		}
		body := map[string]any{"backup_id": req.BackupID}
		if req.Marker != "" {
			body["remark"] = req.Marker
		}
		return message{action: actionRestore, method: http.MethodPost, path: "/instances/" + req.InstanceID + "/restores", body: body}, done
	}
	return message{}, unsupported.verdict(fmt.Sprintf("huawei has no %s: it offers restart, soft_restart, flush and restore", req.Operation))
}

// Plan describes the call that Execute would make. It has no secrets to mask.
func (c *Client) Plan(req vendors.Request) vendors.Plan {
	m, v := mutation(req)
	if v.Kind != vendors.Done {
		return vendors.Plan{Request: map[string]any{}}
	}
	return vendors.Plan{Action: m.action, Endpoint: m.method + " " + c.endpoint(m.path, nil), Request: m.body}
}

// Execute sends the mutation, which the call only starts.
func (c *Client) Execute(ctx context.Context, req vendors.Request, base vendors.Baseline, commit vendors.Commit) vendors.Verdict {
	m, v := mutation(req)
	if v.Kind != vendors.Done {
		return v
	}
	out, v := c.sign(ctx, m)
	if v.Kind != vendors.Done {
		return v
	}
	if err := commit(ctx, out.signedAt); err != nil {
		return vendors.Verdict{Kind: vendors.Withheld, Message: vendors.Clean(fmt.Sprintf("%s was not sent: %v", m.action, err)), Err: err}
	}
	return c.send(ctx, out, func(v vendors.Verdict, a wire.Answer) vendors.Verdict {
		task := vendors.Task{Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: time.Now().UTC(), State: begin(req, base)}
		if req.Operation == vendors.Restore {
			return restoreTaken(v, a, task)
		}
		return statusTaken(v, a, task)
	})
}

// begin is the first memory of a task.
func begin(req vendors.Request, base vendors.Baseline) json.RawMessage {
	var was baseline
	_ = json.Unmarshal(base, &was) // Without it a fault that lags counts as ours.
	m := memory{FromError: was.Status == faulty}
	if req.Operation == vendors.Restore {
		m.Marker, m.Backup = req.Marker, req.BackupID
	}
	return m.encode()
}

// statusTaken reads what a restart or flush answered for the instance.
func statusTaken(v vendors.Verdict, a wire.Answer, task vendors.Task) vendors.Verdict {
	word, ok := decodeResult(a.Body, task.InstanceID)
	switch {
	case ok && word == "success":
		v.Kind, v.Task = vendors.Accepted, task
		return v
	case ok && word == "failed":
		return withResponse(refused.verdict(fmt.Sprintf("%s: the vendor answered failed for instance %s and gave no reason", actionStatus, task.InstanceID)), v)
	}
	return withResponse(unknown.verdict(fmt.Sprintf("%s: HTTP %d does not say what became of instance %s", actionStatus, a.Status, task.InstanceID)), v)
}

// restoreTaken reads the id under which a restore is recorded.
func restoreTaken(v vendors.Verdict, a wire.Answer, task vendors.Task) vendors.Verdict {
	id := vendors.Clean(decodeRestoreID(a.Body))
	if id == "" {
		return withResponse(unknown.verdict(fmt.Sprintf("%s: HTTP %d without a restore_id", actionRestore, a.Status)), v)
	}
	task.ID, v.Response.TaskID = id, id
	v.Kind, v.Task = vendors.Accepted, task
	return v
}
