package events

import (
	"encoding/json"
	"fmt"
	"time"
)

// ResultEvent is a result as its reader sees it.
type ResultEvent struct {
	ID            string    `json:"id"`
	Source        string    `json:"source"`
	Type          string    `json:"type"`
	Subject       string    `json:"subject"`
	Time          time.Time `json:"time"`
	CausationID   string    `json:"causationid"`
	CorrelationID string    `json:"correlationid"`
	TraceParent   string    `json:"traceparent"`
	TraceState    string    `json:"tracestate"`
	Data          Result    `json:"data"`
}

// DecodeResult reads a result event in structured mode.
func DecodeResult(data []byte) (ResultEvent, error) {
	var e ResultEvent
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("read result event: %w", err)
	}
	if e.ID == "" || e.Data.Status == "" {
		return e, fmt.Errorf("read result event: it has no id or no status")
	}
	return e, nil
}
