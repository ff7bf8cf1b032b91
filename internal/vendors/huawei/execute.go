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
		return statusCall(req.Operation, req.InstanceID), done
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

// statusCall is the call that restarts or flushes instances.
func statusCall(op vendors.Operation, ids ...string) message {
	body := map[string]any{"instances": ids, "action": string(op)}
	return message{action: actionStatus, method: http.MethodPut, path: "/instances/status", body: body}
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
		return withheld(m, err)
	}
	return c.send(ctx, out, func(v vendors.Verdict, a wire.Answer) vendors.Verdict {
		task := begin(req, base)
		if req.Operation == vendors.Restore {
			return restoreTaken(v, a, task)
		}
		return statusTaken(v, decodeResults(a.Body)[req.InstanceID], task, refused)
	})
}

// withheld is the verdict on a call that commit kept back.
func withheld(m message, err error) vendors.Verdict {
	return vendors.Verdict{Kind: vendors.Withheld, Message: vendors.Clean(fmt.Sprintf("%s was not sent: %v", m.action, err)), Err: err}
}

// begin is the task of a request that has just been taken, with its first memory.
func begin(req vendors.Request, base vendors.Baseline) vendors.Task {
	var was baseline
	_ = json.Unmarshal(base, &was) // Without it a fault that lags counts as ours.
	m := memory{FromError: was.Status == faulty, TaskUnknown: was.TaskUnknown}
	if req.Operation == vendors.Restore {
		m.Marker, m.Backup = req.Marker, req.BackupID
	}
	return vendors.Task{Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: time.Now().UTC(), State: m.encode()}
}

// statusTaken reads the word that a restart or flush was answered with for one
// instance. failed is what it means that its work was not taken.
func statusTaken(v vendors.Verdict, word string, task vendors.Task, failed class) vendors.Verdict {
	switch word {
	case "success":
		v.Kind, v.Task = vendors.Accepted, task
		return v
	case "failed":
		return withResponse(failed.verdict(fmt.Sprintf("%s: the vendor answered failed for instance %s and gave no reason", actionStatus, task.InstanceID)), v)
	}
	return withResponse(unknown.verdict(fmt.Sprintf("%s: HTTP %d does not say what became of instance %s", actionStatus, v.Response.HTTPStatus, task.InstanceID)), v)
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
