package intake

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// problem is why a request is not done, as RFC 9457 problem JSON. The type is
// about:blank: the code says more than a document behind a URI could.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Code is a reason code of results, or too_large, account_not_allowed and the
	// like, which only the intake has.
	Code string `json:"code,omitempty"`
	// Index is the place of the event in the batch, or of the alert in the webhook.
	Index *int `json:"index,omitempty"`
	// Pointer is the JSON pointer of the member at fault, relative to data.
	Pointer *string `json:"pointer,omitempty"`
	Hint    string  `json:"hint,omitempty"`
	// Fingerprint and Label are those of an alert whose template failed.
	Fingerprint string `json:"fingerprint,omitempty"`
	Label       string `json:"label,omitempty"`
	// Errors are all bad alerts of a webhook, the first included.
	Errors []*problem `json:"errors,omitempty"`

	retryAfter time.Duration
	outcome    string
}

// Codes that only the intake has.
const (
	codeTooLarge          = "too_large"
	codeAccountNotAllowed = "account_not_allowed"
	codeTemplateFailed    = "template_failed"
)

func newProblem(status int, code, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, outcome: outcomeRefused}
}

// unavailable is a problem that passes: the client should come again.
func unavailable(detail string) *problem {
	p := newProblem(http.StatusServiceUnavailable, "", detail)
	p.retryAfter, p.outcome = 5*time.Second, outcomeUnavailable
	return p
}

// undecodable is a problem with what is no CloudEvent.
func undecodable(bad *events.Undecodable) *problem {
	if bad.Reason == events.TooLarge {
		return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, bad.Detail)
	}
	return newProblem(http.StatusBadRequest, events.ReasonInvalidEvent, bad.Detail)
}

// refused is a problem with a command.
func refused(c events.Command, why *events.Refusal) *problem {
	p := newProblem(http.StatusBadRequest, why.Code, why.Message)
	p.Hint = why.Hint
	if at, ok := pointerOf(c, why); ok {
		p.Pointer = &at
	}
	return p
}

// pointerOf is the member of data that a refusal is about.
func pointerOf(c events.Command, why *events.Refusal) (string, bool) {
	switch why.Code {
	case events.ReasonInvalidData:
		return why.Pointer, true
	case events.ReasonSubjectMismatch:
		return "/instanceId", true
	case events.ReasonUnknownVendor:
		return "/vendor", true
	case events.ReasonUnknownAccount:
		return "/account", true
	case events.ReasonUnknownRegion:
		return "/region", true
	case events.ReasonPlaintextSecret, events.ReasonSecretUnavailable:
		return "/parameters/password", true
	case events.ReasonOperationUnsupported:
		return "/parameters/timePoint", !c.Parameters.TimePoint.IsZero()
	}
	return "", false
}

// at names the member of a batch.
func (p *problem) at(index int) *problem {
	p.Index = &index
	return p
}

// write answers with the problem.
func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(p.Status)
	writeJSON(w, p)
}

// writeJSON writes a value. A client that has gone has nobody to be told.
func writeJSON(w http.ResponseWriter, v any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}
