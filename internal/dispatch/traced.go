package dispatch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// The spans of a command. A delivery has one, from the broker's receipt to the
// acknowledgement; within it are queue, claim, attempt (with pace, permit and the
// requests), reconcile, track, settle and the publishing of results.
//
// Where nothing is traced, every function here returns after one comparison.

type spanKey struct{}

// spanOf is the span that ctx belongs to, or nil.
func spanOf(ctx context.Context) Span {
	s, _ := ctx.Value(spanKey{}).(Span)
	return s
}

// trace begins the span of a delivery, whose error is that of reading it. What is no
// event belongs to no trace.
func (a *account) trace(ctx context.Context, d *delivery, err error) context.Context {
	if a.tracer == nil {
		return ctx
	}
	cmd := d.cmd
	var refusal *refusalError
	if errors.As(err, &refusal) {
		cmd = refusal.cmd
	}
	if cmd.Event.ID == "" {
		return ctx
	}
	// Times of the broker and of this machine may differ a little.
	now := time.Now()
	received := d.Received()
	if received.After(now) {
		received = now
	}
	d.span = a.tracer.Begin(cmd.Trace, cmd.Event.Source+"\n"+cmd.Event.ID, "process "+a.template(), received)
	if d.span == nil {
		return ctx
	}
	d.span.Set(d.lane.attributes()...)
	d.span.Set(commandAttributes(cmd)...)
	d.span.Set(slog.Int("messaging.message.body.size", len(d.Data())), slog.Int("sluice.delivery", d.Deliveries()),
		slog.String("messaging.client.id", a.replica))
	d.span.Child(SpanInternal, "queue", received).End(now)
	return d.within(ctx)
}

// template is the subject of lanes with the names of its parts in their places.
func (a *account) template() string {
	return a.subjects.Lane(events.Lane{Vendor: "{vendor}", Account: "{account}", Region: "{region}", Operation: "{operation}", Priority: "{priority}"})
}

// attributes say where a lane's messages are from, by the conventions for messaging.
func (l *lane) attributes() []slog.Attr {
	a := l.region.account
	return []slog.Attr{
		slog.String("messaging.system", "nats"),
		slog.String("messaging.operation.type", "process"),
		slog.String("messaging.operation.name", "process"),
		slog.String("messaging.destination.name", l.subject),
		slog.String("messaging.destination.template", a.template()),
		slog.String("messaging.consumer.group.name", broker.ConsumerName(strings.TrimPrefix(l.subject, a.subjects.Prefix+".commands."))),
		slog.String("sluice.vendor", l.id.Vendor),
		slog.String("sluice.account", l.id.Account),
		slog.String("sluice.region", l.id.Region),
		slog.String("sluice.operation", l.id.Operation),
		slog.String("sluice.priority", l.id.Priority),
	}
}

// commandAttributes say which command it is.
func commandAttributes(c events.Command) []slog.Attr {
	return []slog.Attr{
		slog.String("messaging.message.id", c.Event.ID),
		slog.String("cloudevents.event_id", c.Event.ID),
		slog.String("cloudevents.event_source", c.Event.Source),
		slog.String("cloudevents.event_type", c.Event.Type),
		slog.String("sluice.instance_id", c.InstanceID),
		slog.String("sluice.token_key", c.Key),
		slog.Bool("sluice.dry_run", c.DryRun),
	}
}

// within gives ctx the delivery's span.
func (d *delivery) within(ctx context.Context) context.Context {
	if d.span == nil {
		return ctx
	}
	return context.WithValue(ctx, spanKey{}, d.span)
}

// over ends the delivery's span; err says why the delivery was given back.
func (d *delivery) over(err error) {
	if d.span == nil {
		return
	}
	if err != nil {
		d.span.Set(slog.Bool("sluice.given_back", true))
		d.span.Fail("given back: " + err.Error())
	}
	d.span.End(time.Now())
}

// hard is the account's hard context, within the span of the run's delivery.
func (r *run) hard() context.Context {
	if r.delivery == nil {
		return r.account.hard
	}
	return r.delivery.within(r.account.hard)
}

// phase is a span within that of a delivery; the zero phase does nothing.
type phase struct {
	span  Span
	began time.Time
}

// enter begins a phase of a run, within the one that ctx belongs to.
func (r *run) enter(ctx context.Context, name string) (context.Context, phase) {
	if r.delivery == nil || r.delivery.span == nil {
		return ctx, phase{}
	}
	return r.enterAt(ctx, name, time.Now())
}

// enterAt is enter for a phase that began earlier.
func (r *run) enterAt(ctx context.Context, name string, at time.Time) (context.Context, phase) {
	if r.delivery == nil || r.delivery.span == nil {
		return ctx, phase{}
	}
	within := spanOf(ctx)
	if within == nil {
		within = r.delivery.span
	}
	p := phase{within.Child(SpanInternal, name, at), at}
	return context.WithValue(ctx, spanKey{}, p.span), p
}

// end ends the phase.
func (p phase) end() {
	if p.span != nil {
		p.span.End(time.Now())
	}
}

// failed ends the phase, with the error that ended it if there is one.
func (p phase) failed(err error) {
	if p.span == nil {
		return
	}
	switch {
	case err == nil:
	case errors.Is(err, ledger.ErrTaken), errors.Is(err, errRegroup), errors.Is(err, errYield):
		p.span.Set(slog.String("sluice.again", err.Error())) // nothing is wrong; it begins anew
	default:
		p.span.Fail(err.Error())
	}
	p.end()
}

// recording begins the span of the intent's being stored, which may be what claims the
// token.
func (r *run) recording() phase {
	if r.attempting.span == nil {
		return phase{}
	}
	name := "intent"
	if r.entry.Draft() {
		name = "claim"
	}
	return phase{span: r.attempting.span.Child(SpanInternal, name, time.Now())}
}

// judged ends an attempt of a run with its verdict, or with what kept it from one.
func (p phase) judged(r *run, v vendors.Verdict, err error) {
	if p.span == nil {
		return
	}
	p.span.Set(slog.Int("sluice.attempt", r.entry.Attempts), slog.String("sluice.action", r.action()))
	setVerdict(p.span, v)
	p.failed(err)
}

// setVerdict tells what an answer was taken for.
func setVerdict(s Span, v vendors.Verdict) {
	if v.Kind == 0 || v.Kind == vendors.Withheld {
		return
	}
	s.Set(slog.String("sluice.verdict", v.Kind.String()))
	if v.Reason != "" {
		s.Set(slog.String("sluice.reason", v.Reason))
	}
	if v.Response.RequestID != "" {
		s.Set(slog.String("sluice.vendor_request_id", v.Response.RequestID))
	}
	switch v.Kind {
	case vendors.Done, vendors.Accepted:
	default:
		s.Fail(v.Message)
	}
}

// followed ends the following of accepted work with what came of it.
func (p phase) followed(task *vendors.Task, progress *vendors.Progress, err error) {
	if p.span == nil {
		return
	}
	if task.ID != "" {
		p.span.Set(slog.String("sluice.task_id", task.ID))
	}
	if err == nil && progress.State == vendors.Failed {
		p.span.Set(slog.String("sluice.reason", cmp.Or(progress.Verdict.Reason, events.ReasonTaskFailed)))
		p.span.Fail(progress.Verdict.Message)
	}
	p.failed(err)
}

// concluded ends the phase that ctx belongs to with what reconciliation has found.
func (r *run) concluded(ctx context.Context, f vendors.Finding, looks int) {
	if r.delivery == nil || r.delivery.span == nil {
		return
	}
	if s := spanOf(ctx); s != nil {
		s.Set(slog.String("sluice.conclusion", f.Conclusion.String()), slog.Int("sluice.looks", looks))
		s.End(time.Now())
	}
}

// tracePace makes a span of the wait for the instance and for the quota, once it is
// over.
func (r *run) tracePace(waited time.Duration) {
	if r.delivery.span == nil || r.attempting.span == nil {
		return
	}
	now := time.Now()
	began := r.attempting.began
	if early := now.Add(-waited); early.Before(began) {
		began = early
	}
	s := r.attempting.span.Child(SpanInternal, "pace", began)
	s.Set(slog.String("sluice.action", r.action()), slog.Int64("sluice.quota_wait_ms", waited.Milliseconds()))
	s.End(now)
}

// stage records how long the command spent in a stage of its life, with its trace for
// an example.
func (r *run) stage(name string, d time.Duration) {
	if r.delivery.span == nil {
		r.account.stage(name, d)
		return
	}
	trace, _ := r.delivery.span.IDs()
	r.account.metrics.stages[name].(prometheus.ExemplarObserver).ObserveWithExemplar(d.Seconds(), prometheus.Labels{"trace_id": trace})
}

// publishing begins the span of a result's publishing, within the one that ctx belongs
// to, which learns how the command stands.
func publishing(ctx context.Context, s events.Subjects, r events.Result, m events.Message) phase {
	within := spanOf(ctx)
	if within == nil {
		return phase{}
	}
	attributes := []slog.Attr{slog.String("sluice.status", r.Status), slog.Bool("sluice.duplicate", r.Duplicate), slog.Int("sluice.attempts", r.Attempts)}
	if r.Reason != nil {
		attributes = append(attributes, slog.String("sluice.reason", r.Reason.Code))
	}
	within.Set(attributes...)
	template := s.Prefix + ".results.{vendor}.{account}.{region}.{operation}.{status}"
	p := phase{span: within.Child(SpanProducer, "publish "+template, time.Now())}
	p.span.Set(attributes...)
	p.span.Set(
		slog.String("messaging.system", "nats"),
		slog.String("messaging.operation.type", "send"),
		slog.String("messaging.operation.name", "publish"),
		slog.String("messaging.destination.name", m.Subject),
		slog.String("messaging.destination.template", template),
		slog.String("messaging.message.id", m.ID),
		slog.Int("messaging.message.body.size", len(m.Data)),
	)
	return p
}

// tracedLog is the log with the ids of the trace that the command belongs to, if there
// is one: those of the span of ctx, or else the trace that the publisher named.
func tracedLog(ctx context.Context, log *slog.Logger, c events.Command) *slog.Logger {
	if s := spanOf(ctx); s != nil {
		trace, span := s.IDs()
		return log.With("trace_id", trace, "span_id", span)
	}
	if id := c.Trace.ID(); id != "" {
		return log.With("trace_id", id)
	}
	return log
}
