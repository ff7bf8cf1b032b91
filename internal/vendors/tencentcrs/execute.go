package tencentcrs

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// mutation gives the action and parameters of a request. The verdict is Done, or
// says why the API has no such call. The API has no place for a client token or a
// marker.
func mutation(req vendors.Request) (action string, params map[string]string, v vendors.Verdict) {
	action, ok := Facts().Actions[req.Operation]
	switch {
	case !ok:
		return "", nil, unsupported.verdict(fmt.Sprintf("tencent-crs has no %s: it offers flush and restore", req.Operation))
	case !req.TimePoint.IsZero():
		return "", nil, unsupported.verdict("tencent-crs restores a backup, not a point in time: give the backup's id")
	case req.Operation == vendors.Restore && req.BackupID == "":
		return "", nil, refused.verdict("a restore needs the id of the backup to go back to")
	case req.Password.Empty():
		return "", nil, badPassword.verdict(fmt.Sprintf("tencent-crs needs the instance's password for %s", req.Operation))
	}
	params = map[string]string{"redisId": req.InstanceID, "password": req.Password.Reveal()}
	if req.Operation == vendors.Restore {
		params["backupId"] = req.BackupID
	}
	return action, params, vendors.Verdict{Kind: vendors.Done}
}

// Plan describes the call that Execute would make, without what signing adds.
func (c *Client) Plan(req vendors.Request) vendors.Plan {
	action, params, v := mutation(req)
	if v.Kind != vendors.Done {
		return vendors.Plan{Request: map[string]any{}}
	}
	body := map[string]any{"Action": action, "Region": c.account.Region}
	for name, value := range params {
		body[name] = value
	}
	body["password"] = secret.Redacted
	return vendors.Plan{Action: action, Endpoint: http.MethodPost + " " + c.endpoint(), Request: body}
}

// Execute sends the mutation. An answer without a usable task id is ambiguous:
// the work was probably taken, and Reconcile finds its row.
func (c *Client) Execute(ctx context.Context, req vendors.Request, base vendors.Baseline, commit vendors.Commit) vendors.Verdict {
	action, params, v := mutation(req)
	if v.Kind != vendors.Done {
		return v
	}
	out, v := c.sign(ctx, action, params)
	if v.Kind != vendors.Done {
		return v
	}
	out.mutation = true
	out.echoes.Secrets = append(out.echoes.Secrets, req.Password)
	if err := commit(ctx, out.signedAt); err != nil {
		return vendors.Verdict{Kind: vendors.Withheld, Message: out.clean(fmt.Sprintf("%s was not sent: %v", action, err)), Err: err}
	}
	var id string
	v = c.send(ctx, out, func(e envelope) (err error) {
		id, err = decodeAccepted(e)
		return err
	})
	if v.Kind == vendors.Accepted {
		v.Response.TaskID = id
		v.Task = vendors.Task{ID: id, Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: time.Now().UTC()}
		c.unlisted.Take(req, base)
	}
	return v
}
