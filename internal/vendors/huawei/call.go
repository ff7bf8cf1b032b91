package huawei

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// message is what a call sends, before it is signed.
type message struct {
	action, method, path string
	query                url.Values
	// body is the JSON object of a mutation; look-ups have none.
	body map[string]any
}

// call is one signed request.
type call struct {
	action   string
	mutation bool
	request  *http.Request
	signedAt time.Time
	// echoes must not come back in the words of the answer.
	echoes vendors.Echoes
}

// look makes one look-up. decode reads the answer; its error makes the verdict
// Transient. Every verdict but Done means that decode's work must not be used.
func (c *Client) look(ctx context.Context, action, path string, query url.Values, decode func(wire.Answer) error) vendors.Verdict {
	if c.account.Permit != nil {
		if err := c.account.Permit(ctx, action); err != nil {
			return unavailable.verdict(fmt.Sprintf("%s was not sent: %v", action, err))
		}
	}
	out, v := c.sign(ctx, message{action: action, method: http.MethodGet, path: path, query: query})
	if v.Kind != vendors.Done {
		return v
	}
	return c.send(ctx, out, func(v vendors.Verdict, a wire.Answer) vendors.Verdict {
		if err := decode(a); err != nil {
			return withResponse(unavailable.verdict(fmt.Sprintf("%s: HTTP %d: %v", action, a.Status, err)), v)
		}
		return v
	})
}

// sign prepares a request with the key of the moment. The verdict is Done, or
// says why there is no request.
func (c *Client) sign(ctx context.Context, m message) (call, vendors.Verdict) {
	creds, err := c.account.Credentials(ctx)
	if err != nil {
		lack := unauthorized
		if ctx.Err() != nil {
			lack = unavailable
		}
		return call{}, lack.verdict(fmt.Sprintf("%s was not sent: no credentials: %v", m.action, err))
	}
	req, body, err := c.request(m)
	if err != nil {
		return call{}, refused.verdict(fmt.Sprintf("%s was not sent: %v", m.action, err))
	}
	at := time.Now().UTC().Truncate(time.Second)
	Sign(req, body, creds, c.account.Project, at)
	_, signature, _ := strings.Cut(req.Header.Get("Authorization"), "Signature=")
	echoes := vendors.Echoes{Secrets: []secret.Text{creds.SecretKey, creds.SessionToken}, Words: []string{signature}}
	return call{m.action, m.body != nil, req, at, echoes}, vendors.Verdict{Kind: vendors.Done}
}

// request builds the unsigned request and the bytes of its body.
func (c *Client) request(m message) (*http.Request, []byte, error) {
	var body []byte
	if m.body != nil {
		var err error
		if body, err = json.Marshal(m.body); err != nil {
			return nil, nil, err
		}
	}
	req, err := http.NewRequest(m.method, c.endpoint(m.path, m.query), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if m.body != nil {
		req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	}
	req.Header.Set("User-Agent", "sluice")
	return req, body, nil
}

// send sends the request once, judges the answer and reports it. accept sees
// the answer of a success and says what it comes to.
func (c *Client) send(ctx context.Context, out call, accept func(vendors.Verdict, wire.Answer) vendors.Verdict) vendors.Verdict {
	start := time.Now()
	answer, err := wire.Do(ctx, c.transport, out.request, c.account.Timeout)
	v := out.judge(answer, err)
	if v.Kind == vendors.Done {
		v = accept(v, answer)
	}
	if c.account.Observe != nil {
		c.account.Observe(out.action, v, time.Since(start))
	}
	return v
}

// judge turns an answer, or the lack of one, into a verdict. Done means a status
// of success without an error in it; what the body must hold is for the caller
// to see.
func (out call) judge(a wire.Answer, err error) vendors.Verdict {
	response := vendors.Response{HTTPStatus: a.Status, RequestID: out.echoes.Clean(a.Header.Get("X-Request-Id"))}
	if err != nil {
		lost := classify(0, "", out.mutation)
		if wire.NotSent(err) {
			lost = unavailable
		}
		v := lost.verdict(out.echoes.Clean(fmt.Sprintf("%s: %v", out.action, err)))
		v.Response = response
		return v
	}
	f, failed := decodeFailure(a.Body)
	if response.RequestID == "" {
		response.RequestID = out.echoes.Clean(f.requestID)
	}
	if !failed && a.Status >= 200 && a.Status < 300 {
		return vendors.Verdict{Kind: vendors.Done, Response: response}
	}
	what := "the answer holds no error of the vendor"
	if failed {
		response.Code = out.echoes.Clean(f.code)
		response.Message = out.echoes.Clean(f.message)
		what = strings.TrimSpace(response.Code + " " + response.Message)
	}
	v := classify(a.Status, f.code, out.mutation).verdict(fmt.Sprintf("%s: HTTP %d: %s", out.action, a.Status, what))
	v.Response = response
	v.RetryAfter = wire.RetryAfter(a.Header, time.Now())
	return v
}

// withResponse gives a verdict of ours the words of the answer it is from.
func withResponse(v, from vendors.Verdict) vendors.Verdict {
	v.Response = from.Response
	return v
}

// verdict is the class with a message.
func (c class) verdict(message string) vendors.Verdict {
	return vendors.Verdict{Kind: c.kind, Reason: c.reason, Message: vendors.Clean(message)}
}
