package tencent

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// envelope is what every answer is wrapped in.
type envelope struct {
	Error     *failure
	RequestID wire.String `json:"RequestId"`
	// result is the whole object, whose other fields differ by action.
	result json.RawMessage
}

// failure is the vendor's error. Its code is stable, its message is not.
type failure struct {
	Code    wire.String
	Message wire.String
}

// decodeEnvelope reads an answer.
func decodeEnvelope(body []byte) (envelope, error) {
	var outer struct{ Response json.RawMessage }
	if err := wire.Unmarshal(body, &outer); err != nil {
		return envelope{}, errors.New("the answer is not the vendor's JSON")
	}
	if len(outer.Response) == 0 || outer.Response[0] != '{' {
		return envelope{}, errors.New("the answer has no Response")
	}
	e := envelope{result: outer.Response}
	if err := wire.Unmarshal(outer.Response, &e); err != nil {
		return envelope{}, errors.New("the answer's Response is not the vendor's")
	}
	return e, nil
}

// taskID gives a task id as text. The vendor sends it as a number or as a numeric
// string; a float would lose its last digits.
func taskID(s wire.String) (string, bool) {
	n, err := strconv.ParseUint(string(s), 10, 64)
	if err != nil || n == 0 {
		return "", false
	}
	return strconv.FormatUint(n, 10), true
}

// decodeAccepted reads the id of the task that a mutation started.
func decodeAccepted(result json.RawMessage) (string, error) {
	var a struct {
		TaskID wire.String `json:"TaskId"`
	}
	if err := wire.Unmarshal(result, &a); err != nil {
		return "", errors.New("the answer to the call is not the vendor's")
	}
	id, ok := taskID(a.TaskID)
	if !ok {
		return "", errors.New("the call was answered without an error, but also without a usable TaskId")
	}
	return id, nil
}
