package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
)

// ResultEvent is a result as its reader sees it.
type ResultEvent struct {
	ID, Source, Type, Subject string
	Time                      time.Time
	// CausationID is the id of the command that is answered.
	CausationID, CorrelationID string
	Trace                      Trace
	Data                       Result
}

// DecodeResult reads a result event in structured mode.
func DecodeResult(data []byte) (ResultEvent, error) {
	var e event.Event
	if err := json.Unmarshal(data, &e); err != nil {
		return ResultEvent{}, fmt.Errorf("reading a result: it is no CloudEvent in structured mode: %w", err)
	}
	if err := e.Validate(); err != nil {
		return ResultEvent{}, fmt.Errorf("reading a result: it is no valid CloudEvent: %w", err)
	}
	if !strings.HasPrefix(e.Type(), resultTypePrefix) {
		return ResultEvent{}, fmt.Errorf("reading a result: the event %s has type %s; a result's begins with %s", quote(e.ID()), quote(e.Type()), resultTypePrefix)
	}
	extension := func(name string) string {
		s, _ := e.Extensions()[name].(string)
		return s
	}
	out := ResultEvent{
		ID: e.ID(), Source: e.Source(), Type: e.Type(), Subject: e.Subject(), Time: e.Time(),
		CausationID: extension("causationid"), CorrelationID: extension("correlationid"),
		Trace: Trace{Parent: extension("traceparent"), State: extension("tracestate"), Correlation: extension("correlationid")},
	}
	if err := json.Unmarshal(e.Data(), &out.Data); err != nil {
		return out, fmt.Errorf("reading result %s: its data is no result: %w", out.ID, err)
	}
	if out.Type != ResultType(out.Data.Status) {
		return out, fmt.Errorf("reading result %s: type %s and status %s disagree", out.ID, out.Type, quote(out.Data.Status))
	}
	return out, nil
}
