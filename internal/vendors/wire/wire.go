// Package wire sends one request to a cloud: exactly one, or none.
//
// What a general HTTP client does to be helpful is dangerous for a mutation, so
// nothing here follows a redirect, sends a request a second time, negotiates
// HTTP/2 (whose transport may resend) or reads an answer without a bound. What
// is left to the caller: signing, and the meaning of the answer.
package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// MaxAnswer bounds the body of an answer; a longer one counts as undecodable.
const MaxAnswer = 4 << 20

// ErrTooLong is the error of an answer over MaxAnswer.
var ErrTooLong = fmt.Errorf("answer is longer than %d bytes", MaxAnswer)

// Answer is a complete HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// NotSentError reports a request of which not one byte reached the peer, so
// that it is shown not to have been executed.
type NotSentError struct{ Err error }

// Error names the cause.
func (e *NotSentError) Error() string { return "not sent: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *NotSentError) Unwrap() error { return e.Err }

// NotSent reports whether err proves that nothing was sent.
func NotSent(err error) bool {
	var n *NotSentError
	return errors.As(err, &n)
}

// noAnswer is the error of a request that had no answer in so much time.
type noAnswer time.Duration

// Error names the time.
func (n noAnswer) Error() string { return "no answer within " + time.Duration(n).String() }

// do is Do without anybody watching.
func do(ctx context.Context, rt http.RoundTripper, req *http.Request, timeout time.Duration) (a Answer, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, noAnswer(timeout))
	defer cancel()
	if ctx.Err() != nil {
		return Answer{}, &NotSentError{describe(ctx, ctx.Err())}
	}
	w := watcher{latch: latch{flight: vendors.FlightOf(ctx)}}
	w.leaving()
	defer w.over(&a, &err)
	resp, err := rt.RoundTrip(once(req.WithContext(httptrace.WithClientTrace(ctx, w.trace()))))
	if err != nil {
		err = describe(ctx, err)
		if w.nothingLeft(rt) {
			return Answer{}, &NotSentError{err}
		}
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := readAll(io.LimitReader(resp.Body, MaxAnswer+1))
	a = Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	if err != nil {
		return a, fmt.Errorf("read answer: %w", describe(ctx, err))
	}
	if len(body) > MaxAnswer {
		return a, ErrTooLong
	}
	return a, nil
}

// bodies are buffers to read answers into, so that growing one with each page of a list
// is not the most of what a look-up allocates.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keptBody is the largest buffer that is used again.
const keptBody = 256 << 10

// readAll is io.ReadAll.
func readAll(r io.Reader) ([]byte, error) {
	b := bodies.Get().(*bytes.Buffer)
	b.Reset()
	_, err := b.ReadFrom(r)
	body := bytes.Clone(b.Bytes())
	if b.Cap() <= keptBody {
		bodies.Put(b)
	}
	return body, err
}

// once takes from a request what lets Go's transport send it again: GetBody, and
// for look-ups the absence of a body, which it takes for a licence to replay.
func once(req *http.Request) *http.Request {
	req.GetBody = nil
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		if req.Body == nil || req.Body == http.NoBody {
			req.Body, req.ContentLength = emptyBody{}, 0
		}
	}
	return req
}

// emptyBody is an empty body that the transport does not recognise as one. It
// still sends neither a length nor chunks for methods without a body.
type emptyBody struct{}

// Read ends at once.
func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing.
func (emptyBody) Close() error { return nil }

// watcher learns from the transport's trace whether a request left.
type watcher struct {
	latch  latch
	traced atomic.Bool
}

// trace marks the request as sent as soon as it is handed to a connection of
// which it cannot be shown that nothing was written.
func (w *watcher) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { w.traced.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			if c := counted(info.Conn); c != nil {
				c.watch(&w.latch)
				return
			}
			w.latch.leave()
			w.latch.left()
		},
	}
}

// leaving tells whoever follows the request's flight that it begins.
func (w *watcher) leaving() {
	if w.latch.flight != nil {
		w.latch.flight.Leaving()
	}
}

// over tells that the flight has ended, with the answer or the error there is then.
func (w *watcher) over(a *Answer, err *error) {
	switch {
	case w.latch.flight == nil:
	case *err != nil || a.Status == 0:
		w.latch.flight.Over(time.Time{})
	default:
		w.latch.flight.Over(time.Now())
	}
}

// nothingLeft reports whether the failed request provably did not leave. A
// round tripper that is silent about its connections proves nothing.
func (w *watcher) nothingLeft(rt http.RoundTripper) bool {
	_, known := rt.(*http.Transport)
	return (known || w.traced.Load()) && w.latch.seal()
}

// describe replaces the bare context error by its cause and drops URLs.
func describe(ctx context.Context, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
		if errors.Is(cause, ctx.Err()) {
			return cause
		}
		return fmt.Errorf("%w (%w)", cause, ctx.Err())
	}
	return err
}
