package volcengine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// instant is a time as the API takes it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// mutation gives the action and body of a request.
func mutation(req vendors.Request) (action string, body map[string]any, err error) {
	action, ok := actions[req.Operation]
	if !ok {
		return "", nil, fmt.Errorf("volcengine has no %s: it offers restart, flush and restore", req.Operation)
	}
	body = map[string]any{"InstanceId": req.InstanceID}
	if req.ClientToken != "" {
		body["ClientToken"] = req.ClientToken
	}
	if req.Operation != vendors.Restore {
		return action, body, nil
	}
	switch {
	case req.BackupID != "" && !req.TimePoint.IsZero():
		return "", nil, errors.New("a restore goes back to a backup or to a point in time, not to both")
	case req.BackupID != "":
		body["BackupType"], body["BackupPointId"] = "Full", req.BackupID
	case !req.TimePoint.IsZero():
		body["BackupType"], body["TimePoint"] = "Inc", instant(req.TimePoint)
	default:
		return "", nil, errors.New("a restore needs a backup or a point in time to go back to")
	}
	return action, body, nil
}

// Plan describes the call that Execute would make. It has no secrets to mask.
func (c *Client) Plan(req vendors.Request) vendors.Plan {
	action, body, err := mutation(req)
	if err != nil {
		return vendors.Plan{Request: map[string]any{}}
	}
	return vendors.Plan{Action: action, Endpoint: http.MethodPost + " " + c.endpoint(action), Request: body}
}

// Execute sends the mutation. Restart and restore are only taken by the call; a
// flush is over with it, since the API documents it as synchronous (Volcengine
// docs 6293/65759) and has no status that could tell otherwise.
func (c *Client) Execute(ctx context.Context, req vendors.Request, _ vendors.Baseline, commit vendors.Commit) vendors.Verdict {
	action, body, err := mutation(req)
	if err != nil {
		return unsupported.verdict(err.Error())
	}
	out, v := c.sign(ctx, action, body, true)
	if v.Kind != vendors.Done {
		return v
	}
	if err := commit(ctx, out.signedAt); err != nil {
		return vendors.Verdict{Kind: vendors.Withheld, Message: vendors.Clean(fmt.Sprintf("%s was not sent: %v", action, err)), Err: err}
	}
	return c.send(ctx, out, &nothing{}, func(v vendors.Verdict, _ error) vendors.Verdict {
		if req.Operation == vendors.Flush {
			return v
		}
		v.Kind = vendors.Accepted
		v.Task = vendors.Task{Operation: req.Operation, InstanceID: req.InstanceID, AcceptedAt: time.Now().UTC()}
		return v
	})
}
