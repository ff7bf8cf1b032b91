package telemetry

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/events"
)

// Tracer makes the engine's spans with OpenTelemetry.
type Tracer struct{ tracer trace.Tracer }

// NewTracer makes spans of the provider's.
func NewTracer(p trace.TracerProvider) *Tracer {
	return &Tracer{p.Tracer("github.com/seed-7b870224/sluice")}
}

// Begin is dispatch.Tracer's.
func (t *Tracer) Begin(parent events.Trace, seed, name string, at time.Time) dispatch.Span {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{
		"traceparent": parent.Parent, "tracestate": parent.State,
	})
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = context.WithValue(ctx, seedKey{}, seed)
	}
	return t.start(ctx, trace.SpanKindConsumer, name, at)
}

// start returns nil for a span that is not kept.
func (t *Tracer) start(ctx context.Context, kind trace.SpanKind, name string, at time.Time) dispatch.Span {
	ctx, s := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(at))
	if !s.IsRecording() {
		return nil
	}
	return &span{tracer: t, ctx: ctx, span: s}
}

// span is a dispatch.Span.
type span struct {
	tracer *Tracer
	ctx    context.Context // of its children
	span   trace.Span
}

var kinds = map[dispatch.SpanKind]trace.SpanKind{
	dispatch.SpanInternal: trace.SpanKindInternal, dispatch.SpanClient: trace.SpanKindClient, dispatch.SpanProducer: trace.SpanKindProducer,
}

// Child is dispatch.Span's. A sampler may drop it; then what would be within it is
// within its parent.
func (s *span) Child(kind dispatch.SpanKind, name string, at time.Time) dispatch.Span {
	if child := s.tracer.start(s.ctx, kinds[kind], name, at); child != nil {
		return child
	}
	return dropped{s}
}

// dropped stands for a span that is not kept.
type dropped struct{ *span }

// Set does nothing.
func (dropped) Set(...slog.Attr) {}

// Link does nothing.
func (dropped) Link(dispatch.Span) {}

// Fail does nothing.
func (dropped) Fail(string) {}

// End does nothing.
func (dropped) End(time.Time) {}

// Set is dispatch.Span's.
func (s *span) Set(attributes ...slog.Attr) {
	out := make([]attribute.KeyValue, len(attributes))
	for i, a := range attributes {
		out[i] = keyValue(a)
	}
	s.span.SetAttributes(out...)
}

// keyValue is an attribute in OpenTelemetry's words.
func keyValue(a slog.Attr) attribute.KeyValue {
	switch a.Value.Kind() {
	case slog.KindInt64:
		return attribute.Int64(a.Key, a.Value.Int64())
	case slog.KindBool:
		return attribute.Bool(a.Key, a.Value.Bool())
	default:
		return attribute.String(a.Key, a.Value.String())
	}
}

// Link is dispatch.Span's.
func (s *span) Link(other dispatch.Span) {
	if o, ok := other.(*span); ok {
		s.span.AddLink(trace.Link{SpanContext: o.span.SpanContext()})
	}
}

// Fail is dispatch.Span's.
func (s *span) Fail(why string) { s.span.SetStatus(codes.Error, why) }

// End is dispatch.Span's.
func (s *span) End(at time.Time) { s.span.End(trace.WithTimestamp(at)) }

// IDs is dispatch.Span's.
func (s *span) IDs() (traceID, spanID string) {
	c := s.span.SpanContext()
	return c.TraceID().String(), c.SpanID().String()
}

type seedKey struct{}

// ids gives a trace without a parent the id that its seed says, and any other ids by
// chance.
type ids struct{}

// NewIDs is the SDK's.
func (g ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if seed, ok := ctx.Value(seedKey{}).(string); ok {
		sum := sha256.Sum256([]byte(seed))
		return trace.TraceID(sum[:16]), g.NewSpanID(ctx, trace.TraceID{})
	}
	var id trace.TraceID
	for !id.IsValid() {
		fill(id[:8])
		fill(id[8:])
	}
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID is the SDK's.
func (ids) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for !id.IsValid() {
		fill(id[:])
	}
	return id
}

// fill fills eight bytes by chance.
func fill(b []byte) {
	n := rand.Uint64()
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
}
