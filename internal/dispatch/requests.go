package dispatch

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// requests makes a span of each request that an adapter makes under one context, one
// after the other. A nil one makes none.
type requests struct {
	// of are the spans of the commands that the requests are about; the spans made
	// here are within the first.
	of     []Span
	action string // of the request that comes next
	last   Span   // not ended yet: its verdict comes later than its answer
	ended  time.Time
}

type requestsKey struct{}

// requests gives ctx spans for the requests of a run. action is the mutation's; look-ups
// name theirs as they ask for their permit.
func (r *run) requests(ctx context.Context, action string) (context.Context, *requests) {
	if r.delivery == nil || r.delivery.span == nil {
		return ctx, nil
	}
	return requestsOf(ctx, action, []Span{spanOf(ctx)})
}

// requestsOf gives ctx spans for requests that commands share; of are their spans.
func requestsOf(ctx context.Context, action string, of []Span) (context.Context, *requests) {
	if len(of) == 0 {
		return ctx, nil
	}
	q := &requests{of: of, action: action}
	ctx = context.WithValue(ctx, spanKey{}, q.of[0])
	return vendors.Watch(context.WithValue(ctx, requestsKey{}, q), q.made), q
}

// asksFor tells which action the next request under ctx is.
func (a *account) asksFor(ctx context.Context, action string) {
	if a.tracer == nil {
		return
	}
	if q, ok := ctx.Value(requestsKey{}).(*requests); ok {
		q.action = action
	}
}

// made makes a span of one request.
func (q *requests) made(e vendors.Exchange) {
	q.finish()
	s := q.of[0].Child(SpanClient, q.action, e.Began)
	for _, other := range q.of[1:] {
		s.Link(other)
	}
	s.Set(slog.String("http.request.method", e.Method), slog.String("sluice.action", q.action))
	if host, port, err := net.SplitHostPort(e.Host); err == nil {
		number, _ := strconv.Atoi(port)
		s.Set(slog.String("server.address", host), slog.Int("server.port", number))
	} else {
		s.Set(slog.String("server.address", e.Host))
	}
	if len(q.of) > 1 {
		s.Set(slog.Int("sluice.commands", len(q.of)))
	}
	if e.Status > 0 {
		s.Set(slog.Int("http.response.status_code", e.Status))
	}
	switch {
	case e.Err != nil:
		s.Set(slog.String("error.type", "no_answer"))
		s.Fail("no complete answer")
	case e.Status >= 400:
		s.Set(slog.String("error.type", strconv.Itoa(e.Status)))
		s.Fail("")
	}
	q.last, q.ended = s, e.Ended
}

// end ends the last of the requests, with what its answer was taken for.
func (q *requests) end(v vendors.Verdict) {
	if q == nil || q.last == nil {
		return
	}
	setVerdict(q.last, v)
	q.finish()
}

// finish ends the last request that was made.
func (q *requests) finish() {
	if q.last != nil {
		q.last.End(q.ended)
		q.last = nil
	}
}

// pollsOf gives ctx spans for the polls of a batch.
func pollsOf(ctx context.Context, batch []*followed) (context.Context, *requests) {
	return shared(ctx, "", batch, func(f *followed) Span { return f.span })
}

// looksOf gives ctx spans for the look-ups of a survey.
func looksOf(ctx context.Context, batch []*prospect) (context.Context, *requests) {
	return shared(ctx, "", batch, func(p *prospect) Span { return p.span })
}

// callFor gives ctx a span for the call for many.
func callFor(ctx context.Context, action string, members []*pooled) (context.Context, *requests) {
	return shared(ctx, action, members, func(m *pooled) Span { return m.run.attempting.span })
}

// shared is requestsOf for those of all that are traced.
func shared[T any](ctx context.Context, action string, all []T, span func(T) Span) (context.Context, *requests) {
	var of []Span
	for _, one := range all {
		if s := span(one); s != nil {
			of = append(of, s)
		}
	}
	return requestsOf(ctx, action, of)
}

// verdictOfAll is the verdict on a call for many if there is one, else none.
func verdictOfAll(verdicts []vendors.Verdict) vendors.Verdict {
	for _, v := range verdicts {
		if v.Kind != verdicts[0].Kind {
			return vendors.Verdict{}
		}
	}
	return vendors.Verdict{Kind: verdicts[0].Kind, Reason: verdicts[0].Reason, Message: verdicts[0].Message, Response: verdicts[0].Response}
}
