package volcengine

import (
	"errors"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// envelope is what every answer is wrapped in.
type envelope struct {
	ResponseMetadata *metadata
	// Result points to what is read of a result, so that one pass over the answer is
	// enough: a page of a list has tens of kilobytes.
	Result any
}

// nothing is what is read of a result that says nothing of use.
type nothing struct{}

// UnmarshalJSON never fails.
func (nothing) UnmarshalJSON([]byte) error { return nil }

// metadata names the call that is answered and carries its failure.
type metadata struct {
	RequestID wire.String `json:"RequestId"`
	Action    wire.String
	Error     *failure
}

// failure is the vendor's error. CodeN is left out: product errors lack it.
type failure struct {
	Code    wire.String
	Message wire.String
}

// decodeEnvelope reads an answer of any status, and its result into what result points
// to. That the result is none of its type is told by odd: the rest of the answer holds.
func decodeEnvelope(body []byte, result any) (e envelope, odd, err error) {
	e.Result = result
	err = wire.Unmarshal(body, &e)
	var wrong *wire.TypeError
	if errors.As(err, &wrong) && strings.HasPrefix(wrong.Field, "Result") {
		odd, err = err, nil
	}
	if err != nil {
		return envelope{}, nil, errors.New("the answer is not the vendor's JSON")
	}
	if e.ResponseMetadata == nil {
		return envelope{}, nil, errors.New("the answer has no ResponseMetadata")
	}
	return e, odd, nil
}

// succeeded reports whether the envelope says, without anything missing, that
// the action was carried out.
func (e envelope) succeeded(action string) bool {
	m := e.ResponseMetadata
	return m.Error == nil && m.RequestID != "" && (m.Action == "" || string(m.Action) == action)
}
