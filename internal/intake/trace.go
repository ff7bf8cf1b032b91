package intake

import (
	"net/http"
	"regexp"

	"github.com/seed-7b870224/sluice/internal/events"
)

// traceparent is W3C trace context as it may be passed on.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// traceOf is the trace context of a request. What is none is not passed on.
func traceOf(header http.Header) events.Trace {
	parent := header.Get("Traceparent")
	if !traceparent.MatchString(parent) {
		return events.Trace{}
	}
	return events.Trace{Parent: parent, State: header.Get("Tracestate")}
}
