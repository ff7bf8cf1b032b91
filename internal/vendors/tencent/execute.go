package tencent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// mutation gives the action and body of a request. The verdict is Done, or says
// why the API has no such call. The API has no place for a client token or a
// marker, and refuses fields that it does not know.
func mutation(req vendors.Request) (action string, body map[string]any, v vendors.Verdict) {
	action, ok := Facts().Actions[req.Operation]
	switch {
	case !ok:
		return "", nil, unsupported.verdict(fmt.Sprintf("tencent has no %s: it offers flush and restore", req.Operation))
	case !req.TimePoint.IsZero():
		return "", nil, unsupported.verdict("tencent restores a backup, not a point in time: give the backup's id")
	case req.Operation == vendors.Restore && req.BackupID == "":
		return "", nil, refused.verdict("a restore needs the id of the backup to go back to")
	}
	body = map[string]any{"InstanceId": req.InstanceID}
	if req.Operation == vendors.Restore {
		body["BackupId"] = req.BackupID
	}
	if !req.Password.Empty() {
		body["Password"] = req.Password.Reveal()
	}
	return action, body, vendors.Verdict{Kind: vendors.Done}
}

// Plan describes the call that Execute would make.
func (c *Client) Plan(req vendors.Request) vendors.Plan {
	action, body, v := mutation(req)
	if v.Kind != vendors.Done {
		return vendors.Plan{Request: map[string]any{}}
	}
	if _, ok := body["Password"]; ok {
		body["Password"] = secret.Redacted
	}
	return vendors.Plan{Action: action, Endpoint: http.MethodPost + " " + c.endpoint(), Request: body}
}

// Execute sends the mutation. An answer without a usable task id is ambiguous:
// the work was probably taken, and Reconcile finds its row.
func (c *Client) Execute(ctx context.Context, req vendors.Request, base vendors.Baseline, commit vendors.Commit) vendors.Verdict {
	action, body, v := mutation(req)
	if v.Kind != vendors.Done {
		return v
	}
	out, v := c.sign(ctx, action, body)
	if v.Kind != vendors.Done {
		return v
	}
	out.mutation = true
	out.echoes.Secrets = append(out.echoes.Secrets, req.Password)
	if err := commit(ctx, out.signedAt); err != nil {
		return vendors.Verdict{Kind: vendors.Withheld, Message: out.clean(fmt.Sprintf("%s was not sent: %v", action, err)), Err: err}
	}
	var id string
	v = c.send(ctx, out, func(result json.RawMessage, _ func(string) string) (err error) {
		id, err = decodeAccepted(result)
		return err
	})
	if v.Kind == vendors.Accepted {
		v.Response.TaskID = id
		v.Task = vendors.Task{ID: id, Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: time.Now().UTC()}
		c.unlisted.Take(req, base)
	}
	return v
}
