package volcengine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
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

// result is what is read of the result of a look-up.
type result interface {
	// check says what the answer lacks; odd is why parts of it could not be read.
	check(odd error) error
}

// look makes one look-up and reads the result into what it is given. An answer that
// does not pass its check is Transient. Every verdict but Done means that what was read
// must not be used.
func (c *Client) look(ctx context.Context, action string, params map[string]any, into result) vendors.Verdict {
	if c.account.Permit != nil {
		if err := c.account.Permit(ctx, action); err != nil {
			return unavailable.verdict(fmt.Sprintf("%s was not sent: %v", action, err))
		}
	}
	out, v := c.sign(ctx, action, params, false)
	if v.Kind != vendors.Done {
		return v
	}
	return c.send(ctx, out, into, func(v vendors.Verdict, odd error) vendors.Verdict {
		if err := into.check(odd); err != nil {
			return withResponse(unavailable.verdict(fmt.Sprintf("%s: %v", action, err)), v)
		}
		return v
	})
}

// sign prepares a request with the key of the moment. The verdict is Done, or
// says why there is no request.
func (c *Client) sign(ctx context.Context, action string, params map[string]any, mutation bool) (call, vendors.Verdict) {
	creds, err := c.account.Credentials(ctx)
	if err != nil {
		lack := unauthorized
		if ctx.Err() != nil {
			lack = unavailable
		}
		return call{}, lack.verdict(fmt.Sprintf("%s was not sent: no credentials: %v", action, err))
	}
	body := encode(params)
	req := c.request(action, body)
	at := time.Now().UTC().Truncate(time.Second)
	signature := c.key.sign(req, body, creds, c.account.Region, at)
	echoes := vendors.Echoes{Secrets: []secret.Text{creds.SecretKey, creds.SessionToken}, Words: []string{signature}}
	return call{action, mutation, req, at, echoes}, vendors.Verdict{Kind: vendors.Done}
}

// encode writes parameters as JSON. Nearly all are texts and numbers.
func encode(params map[string]any) []byte {
	o := jsonobject.Begin(make([]byte, 0, 128))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch value := params[name].(type) {
		case string:
			o.Text(name, value)
		case int:
			o.Int(name, int64(value))
		default:
			raw, _ := json.Marshal(value) // what cannot be encoded, nobody passes
			o.Raw(name, raw)
		}
	}
	return o.End()
}

// send sends the request once, judges the answer and reports it. The result is read
// into what into points to; accept says what a success comes to, and is told what of
// the result could not be read.
func (c *Client) send(ctx context.Context, out call, into any, accept func(v vendors.Verdict, odd error) vendors.Verdict) vendors.Verdict {
	start := time.Now()
	answer, err := wire.Do(ctx, c.transport, out.request, c.account.Timeout)
	v, odd := out.judge(answer, err, into)
	if v.Kind == vendors.Done {
		v = accept(v, odd)
	}
	if c.account.Observe != nil {
		c.account.Observe(out.action, v, time.Since(start))
	}
	return v
}

// judge turns an answer, or the lack of one, into a verdict. For Done, what into
// points to holds the result, as far as odd is nil.
func (out call) judge(a wire.Answer, err error, into any) (v vendors.Verdict, odd error) {
	response := vendors.Response{HTTPStatus: a.Status}
	if err != nil {
		lost := classify(0, "", out.mutation)
		if wire.NotSent(err) {
			lost = unavailable
		}
		v = lost.verdict(out.echoes.Clean(fmt.Sprintf("%s: %v", out.action, err)))
		v.Response = response
		return v, nil
	}
	e, odd, err := decodeEnvelope(a.Body, into)
	what := "the answer is not that of a success"
	if err != nil {
		what = err.Error()
	} else {
		response.RequestID = out.echoes.Clean(string(e.ResponseMetadata.RequestID))
		if a.Status == http.StatusOK && e.succeeded(out.action) {
			return vendors.Verdict{Kind: vendors.Done, Response: response}, odd
		}
	}
	var code string
	if err == nil && e.ResponseMetadata.Error != nil {
		fault := e.ResponseMetadata.Error
		code = strings.TrimSpace(string(fault.Code))
		response.Code = out.echoes.Clean(code)
		response.Message = out.echoes.Clean(string(fault.Message))
		what = strings.TrimSpace(response.Code + " " + response.Message)
	}
	v = classify(a.Status, code, out.mutation).verdict(vendors.Clean(fmt.Sprintf("%s: HTTP %d: %s", out.action, a.Status, what)))
	v.Response = response
	v.RetryAfter = wire.RetryAfter(a.Header, time.Now())
	return v, nil
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
