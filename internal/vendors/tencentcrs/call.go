package tencentcrs

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// call is one signed request.
type call struct {
	action   string
	mutation bool
	request  *http.Request
	signedAt time.Time
	// echoes must not come back in the words of the answer.
	echoes vendors.Echoes
}

// reader takes what it needs from an answer without an error.
type reader func(envelope) error

// look makes one look-up. An error of read makes the verdict Transient. Every
// verdict but Done means that what was read must not be used.
func (c *Client) look(ctx context.Context, action string, params map[string]string, read reader) vendors.Verdict {
	if c.account.Permit != nil {
		if err := c.account.Permit(ctx, action); err != nil {
			return unavailable.verdict(fmt.Sprintf("%s was not sent: %v", action, err))
		}
	}
	out, v := c.sign(ctx, action, params)
	if v.Kind != vendors.Done {
		return v
	}
	return c.send(ctx, out, read)
}

// sign prepares a request with the key of the moment. The verdict is Done, or
// says why there is no request.
func (c *Client) sign(ctx context.Context, action string, params map[string]string) (call, vendors.Verdict) {
	creds, err := c.account.Credentials(ctx)
	if err != nil {
		lack := unauthorized
		if ctx.Err() != nil {
			lack = unavailable
		}
		return call{}, lack.verdict(fmt.Sprintf("%s was not sent: no credentials: %v", action, err))
	}
	at := time.Now().UTC().Truncate(time.Second)
	form := Sign(c.host(), c.account.Region, action, params, creds, at, newNonce())
	// In the body, since a query with the password would end in access logs.
	req, err := http.NewRequest(http.MethodPost, c.endpoint(), strings.NewReader(form.Encode()))
	if err != nil {
		return call{}, refused.verdict(fmt.Sprintf("%s was not sent: %v", action, err))
	}
	req.Host = c.host()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sluice")
	echoes := vendors.Echoes{Secrets: []secret.Text{creds.SecretKey, creds.SessionToken}, Words: []string{creds.AccessKey, form.Get("Signature")}}
	return call{action: action, request: req, signedAt: at, echoes: echoes}, vendors.Verdict{Kind: vendors.Done}
}

// send sends the request once, judges the answer and reports it. An error of
// read means that the answer proves nothing.
func (c *Client) send(ctx context.Context, out call, read reader) vendors.Verdict {
	start := time.Now()
	answer, err := wire.Do(ctx, c.transport, out.request, c.account.Timeout)
	v, e := out.judge(answer, err)
	if v.Kind == vendors.Done {
		if err := read(e); err != nil {
			v = classify(0, "", out.mutation).from(v, fmt.Sprintf("%s: %v", out.action, err))
		} else if out.mutation {
			v.Kind = vendors.Accepted // Every mutation of this API starts a task.
		}
	}
	if c.account.Observe != nil {
		c.account.Observe(out.action, v, time.Since(start))
	}
	return v
}

// clean makes words of an answer printable.
func (out call) clean(s string) string { return out.echoes.Clean(s) }

// judge turns an answer, or the lack of one, into a verdict. The envelope is set
// for Done.
func (out call) judge(a wire.Answer, err error) (vendors.Verdict, envelope) {
	response := vendors.Response{HTTPStatus: a.Status}
	if err != nil {
		lost := classify(0, "", out.mutation)
		if wire.NotSent(err) {
			lost = unavailable
		}
		v := lost.verdict(out.clean(fmt.Sprintf("%s: %v", out.action, err)))
		v.Response = response
		return v, envelope{}
	}
	e, err := decodeEnvelope(a.Body)
	var (
		what  string
		means class
	)
	switch {
	case err != nil:
		what, means = err.Error(), classify(a.Status, "", out.mutation)
	case e.Code.Value != 0:
		response.Code, response.Message = e.number(), out.clean(string(e.Message))
		if response.Message == "" {
			response.Message = out.clean(string(e.CodeDesc))
		}
		what, means = strings.TrimSpace(response.Code+" "+response.Message), classify(a.Status, response.Code, out.mutation)
	case a.Status == http.StatusOK:
		return vendors.Verdict{Kind: vendors.Done, Response: response}, e
	default:
		what, means = "a success under a status of failure", classify(0, "", out.mutation)
	}
	v := means.verdict(fmt.Sprintf("%s: HTTP %d: %s", out.action, a.Status, what))
	v.Response = response
	v.RetryAfter = wire.RetryAfter(a.Header, time.Now())
	return v, envelope{}
}
