package tencentcrs

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// envelope is what every answer is wrapped in.
type envelope struct {
	// Code is zero for success; pages differ on whether it is a number or text.
	Code     wire.Int    `json:"code"`
	Message  wire.String `json:"message"`
	CodeDesc wire.String `json:"codeDesc"`
	// Total counts the rows of a list, which are in Data.
	Total wire.Int        `json:"totalCount"`
	Data  json.RawMessage `json:"data"`
}

// decodeEnvelope reads an answer.
func decodeEnvelope(body []byte) (envelope, error) {
	var e envelope
	if err := wire.Unmarshal(body, &e); err != nil {
		return envelope{}, errors.New("the answer is not the vendor's JSON")
	}
	if !e.Code.Valid {
		return envelope{}, errors.New("the answer has no code")
	}
	return e, nil
}

// number is the most telling code of a failure. The product's own codes stand in
// code itself, or under a common code at the head of the message, in brackets, or
// by name in codeDesc.
func (e envelope) number() string {
	plain := strconv.FormatInt(e.Code.Value, 10)
	if row, ok := codes[plain]; ok && !row.vague {
		return plain
	}
	if inner, ok := bracketed(string(e.Message)); ok {
		return inner
	}
	if named, ok := number(string(e.CodeDesc)); ok {
		return named
	}
	return plain
}

// bracketed finds a known code at the head of a message, as in "(10707) ...".
func bracketed(message string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(message), "(")
	if !ok {
		return "", false
	}
	inner, _, _ := strings.Cut(rest, ")")
	row, ok := codes[inner]
	return inner, ok && row.name != ""
}

// object gives the data of an answer as an object. Some pages declare a list
// where their samples show the object alone, and an empty object may come as an
// empty list.
func (e envelope) object() (json.RawMessage, error) {
	if len(e.Data) == 0 || string(e.Data) == "null" {
		return json.RawMessage("{}"), nil
	}
	if e.Data[0] != '[' {
		return e.Data, nil
	}
	var list []json.RawMessage
	if err := wire.Unmarshal(e.Data, &list); err != nil || len(list) > 1 {
		return nil, errors.New("the answer's data is a list of several")
	}
	if len(list) == 0 {
		return json.RawMessage("{}"), nil
	}
	return list[0], nil
}

// decode reads the data of an answer into v.
func (e envelope) decode(v any) error {
	object, err := e.object()
	if err != nil {
		return err
	}
	if err := wire.Unmarshal(object, v); err != nil {
		return errors.New("the answer's data is not the vendor's")
	}
	return nil
}

// taskID gives a task id as text. The vendor calls it requestId and sends a
// number; a numeric string is taken too, and a float never made of it.
func taskID(s wire.String) (string, bool) {
	n, err := strconv.ParseUint(string(s), 10, 64)
	if err != nil || n == 0 {
		return "", false
	}
	return strconv.FormatUint(n, 10), true
}

// decodeAccepted reads the id of the task that a mutation started.
func decodeAccepted(e envelope) (string, error) {
	var a struct {
		RequestID wire.String `json:"requestId"`
	}
	if err := e.decode(&a); err != nil {
		return "", err
	}
	id, ok := taskID(a.RequestID)
	if !ok {
		return "", errors.New("the call was answered without an error, but also without a usable data.requestId")
	}
	return id, nil
}
