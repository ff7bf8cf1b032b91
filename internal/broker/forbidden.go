package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
)

// ForbiddenError means that the server does not allow our user a subject. What was to
// be published has not been stored.
type ForbiddenError struct {
	// Listen says that it was to be subscribed to, not published on.
	Listen  bool
	Subject string
}

// Error names the subject and the way out.
func (e *ForbiddenError) Error() string {
	what, list := "publish on", "publish"
	if e.Listen {
		what, list = "subscribe to", "subscribe"
	}
	return fmt.Sprintf("the NATS server does not allow this user to %s %q; let it %s there (permissions of the user on the server), or connect as a user that may",
		what, e.Subject, list)
}

// forbiddenBy reads a permissions violation as the server words it.
func forbiddenBy(err error) *ForbiddenError {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	if subject, ok := refusedSubscription(err); ok {
		return &ForbiddenError{Listen: true, Subject: subject}
	}
	if subject, ok := quotedAfter(err, `Publish to "`); ok {
		return &ForbiddenError{Subject: subject}
	}
	return nil
}

// quotedAfter is the rest of a quotation in an error's text.
func quotedAfter(err error, start string) (string, bool) {
	_, rest, ok := strings.Cut(err.Error(), start)
	if !ok {
		return "", false
	}
	subject, _, ok := strings.Cut(rest, `"`)
	return subject, ok
}

// Refused is the latest refusal by the server for want of a permission, or nil.
func (c *Conn) Refused() error {
	if e := c.refused.Load(); e != nil {
		return e
	}
	return nil
}

// guard is a call that ends when the server refuses a subject which it needs: left
// alone, it would wait for an answer that never comes.
type guard struct {
	// stream is the one that the call is about; empty is every subject.
	stream string
	cancel context.CancelCauseFunc
}

// needs reports whether the call may depend on a subject: on those of its stream,
// and on the one of its answers. Clearing up behind it is not needed.
func (g *guard) needs(e *ForbiddenError) bool {
	switch {
	case g.stream == "" || e.Listen && strings.HasPrefix(e.Subject, nats.InboxPrefix):
		return true
	case strings.Contains(e.Subject, ".API.CONSUMER.DELETE."):
		return false
	}
	return slices.Contains(strings.Split(e.Subject, "."), g.stream)
}

// guard returns a context that a permission violation ends, with the violation as its
// cause.
func (c *Conn) guard(ctx context.Context, stream string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	g := &guard{stream: stream, cancel: cancel}
	c.mu.Lock()
	c.guards[g] = struct{}{}
	c.mu.Unlock()
	return ctx, func() {
		c.mu.Lock()
		delete(c.guards, g)
		c.mu.Unlock()
		cancel(nil)
	}
}

// guarded runs a call of the client library under a guard. A refusal takes the place
// of the error that it led to.
func guarded[T any](ctx context.Context, c *Conn, stream string, call func(context.Context) (T, error)) (T, error) {
	ctx, release := c.guard(ctx, stream)
	defer release()
	got, err := call(ctx)
	var refusal *ForbiddenError
	if err != nil && errors.As(context.Cause(ctx), &refusal) {
		err = refusal
	}
	return got, err
}

// forbid tells everybody concerned of a refusal.
func (c *Conn) forbid(e *ForbiddenError) {
	c.refused.Store(e)
	c.requests.refuse(e)
	c.mu.Lock()
	defer c.mu.Unlock()
	for g := range c.guards {
		if g.needs(e) {
			g.cancel(e)
		}
	}
}
