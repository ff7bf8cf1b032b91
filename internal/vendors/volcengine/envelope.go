package volcengine

import (
	"encoding/json"
	"errors"

	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// envelope is what every answer is wrapped in.
type envelope struct {
	ResponseMetadata *metadata
	Result           json.RawMessage
}

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

// decodeEnvelope reads an answer of any status.
func decodeEnvelope(body []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return envelope{}, errors.New("the answer is not the vendor's JSON")
	}
	if e.ResponseMetadata == nil {
		return envelope{}, errors.New("the answer has no ResponseMetadata")
	}
	return e, nil
}

// succeeded reports whether the envelope says, without anything missing, that
// the action was carried out.
func (e envelope) succeeded(action string) bool {
	m := e.ResponseMetadata
	return m.Error == nil && m.RequestID != "" && (m.Action == "" || string(m.Action) == action)
}
