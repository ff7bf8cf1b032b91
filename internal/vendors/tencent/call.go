package tencent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/jsonobject"
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

// reader takes what it needs from an answer without an error. Words for a person
// must go through clean.
type reader func(result json.RawMessage, clean func(string) string) error

// look makes one look-up. An error of read makes the verdict Transient. Every
// verdict but Done means that what was read must not be used.
func (c *Client) look(ctx context.Context, action string, params map[string]any, read reader) vendors.Verdict {
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
func (c *Client) sign(ctx context.Context, action string, params map[string]any) (call, vendors.Verdict) {
	creds, err := c.account.Credentials(ctx)
	if err != nil {
		lack := unauthorized
		if ctx.Err() != nil {
			lack = unavailable
		}
		return call{}, lack.verdict(fmt.Sprintf("%s was not sent: no credentials: %v", action, err))
	}
	// Without the escapes for HTML: a password that is spelt as it is can be found, and
	// redacted, where the vendor echoes it.
	body, err := jsonobject.Marshal(params)
	if err != nil {
		return call{}, refused.verdict(fmt.Sprintf("%s was not sent: %v", action, err))
	}
	req, err := http.NewRequest(http.MethodPost, c.endpoint(), bytes.NewReader(body))
	if err != nil {
		return call{}, refused.verdict(fmt.Sprintf("%s was not sent: %v", action, err))
	}
	req.Host = c.host()
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sluice")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", version)
	req.Header.Set("X-TC-Region", c.account.Region)
	// Messages are Chinese by default.
	req.Header.Set("X-TC-Language", "en-US")
	at := time.Now().UTC().Truncate(time.Second)
	Sign(req, body, creds, at)
	_, signature, _ := strings.Cut(req.Header.Get("Authorization"), "Signature=")
	echoes := vendors.Echoes{Secrets: []secret.Text{creds.SecretKey, creds.SessionToken}, Words: []string{creds.AccessKey, signature}}
	return call{action: action, request: req, signedAt: at, echoes: echoes}, vendors.Verdict{Kind: vendors.Done}
}

// send sends the request once, judges the answer and reports it. An error of
// read means that the answer proves nothing.
func (c *Client) send(ctx context.Context, out call, read reader) vendors.Verdict {
	start := time.Now()
	answer, err := wire.Do(ctx, c.transport, out.request, c.account.Timeout)
	v, result := out.judge(answer, err)
	if v.Kind == vendors.Done {
		if err := read(result, out.clean); err != nil {
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

// judge turns an answer, or the lack of one, into a verdict. Result is set for
// Done.
func (out call) judge(a wire.Answer, err error) (vendors.Verdict, json.RawMessage) {
	response := vendors.Response{HTTPStatus: a.Status}
	if err != nil {
		lost := classify(0, "", out.mutation)
		if wire.NotSent(err) {
			lost = unavailable
		}
		v := lost.verdict(out.clean(fmt.Sprintf("%s: %v", out.action, err)))
		v.Response = response
		return v, nil
	}
	e, err := decodeEnvelope(a.Body)
	response.RequestID = out.clean(string(e.RequestID))
	var (
		what  string
		means class
	)
	switch {
	case err != nil:
		what, means = err.Error(), classify(a.Status, "", out.mutation)
	case e.Error != nil:
		code := strings.TrimSpace(string(e.Error.Code))
		response.Code, response.Message = out.clean(code), out.clean(string(e.Error.Message))
		what, means = strings.TrimSpace(response.Code+" "+response.Message), classify(a.Status, code, out.mutation)
	case a.Status == http.StatusOK:
		return vendors.Verdict{Kind: vendors.Done, Response: response}, e.result
	default:
		what, means = "a success under a status of failure", classify(0, "", out.mutation)
	}
	v := means.verdict(fmt.Sprintf("%s: HTTP %d: %s", out.action, a.Status, what))
	v.Response = response
	v.RetryAfter = wire.RetryAfter(a.Header, time.Now())
	return v, nil
}
