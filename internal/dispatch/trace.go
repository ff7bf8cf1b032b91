package dispatch

import (
	"log/slog"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// Tracer makes spans of what happens to commands, for whatever tracing system there
// is. It is called where one stage follows another, never waits, and needs no answer
// of anybody. Without one nothing is traced and nothing is spent on it.
type Tracer interface {
	// Begin starts the span of one delivery of a command. It goes on in the
	// publisher's trace; if the event names none, in that of the seed, so that
	// redeliveries and replicas meet in one trace. Nil if the trace is not kept.
	Begin(parent events.Trace, seed, name string, at time.Time) Span
}

// Span is a piece of time in a trace. What is set after its end is lost.
type Span interface {
	// Child starts a span within this one.
	Child(kind SpanKind, name string, at time.Time) Span
	// Set adds attributes: strings, integers and booleans that hold no secret.
	Set(attributes ...slog.Attr)
	// Link names a span of another command that this one is about as well.
	Link(other Span)
	// Fail marks the span as failed, with a message that holds no secret.
	Fail(why string)
	// End ends the span; the first call counts.
	End(at time.Time)
	// IDs are those of the trace and of the span, in hexadecimal digits.
	IDs() (trace, span string)
}

// SpanKind is the part that a span has in a conversation.
type SpanKind int

// The kinds of spans. The one of a delivery is the consumer's.
const (
	SpanInternal SpanKind = iota
	SpanClient            // a request to a vendor
	SpanProducer          // a result on its way to the broker
)
