package huawei

import (
	"encoding/json"

	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// failure is the vendor's error, whichever of its envelopes it came in.
type failure struct {
	code, message, requestID string
}

// decodeFailure reads the error in an answer; ok is false if it holds none. The
// service, the gateway and the old version 1 each have an envelope of their own.
func decodeFailure(body []byte) (f failure, ok bool) {
	var e struct {
		Code      wire.String     `json:"error_code"`
		Message   wire.String     `json:"error_msg"`
		RequestID wire.String     `json:"request_id"`
		Old       json.RawMessage `json:"error"`
	}
	if wire.Unmarshal(body, &e) != nil {
		return failure{}, false
	}
	f = failure{string(e.Code), string(e.Message), string(e.RequestID)}
	if f.code == "" && len(e.Old) > 0 {
		var old struct{ Code, Message wire.String }
		if wire.Unmarshal(e.Old, &old) == nil {
			f.code, f.message = string(old.Code), string(old.Message)
		}
	}
	return f, f.code != ""
}

// decodeResults reads what a restart or flush answered for each instance. The word
// of one that the answer says two things of is empty.
func decodeResults(body []byte) map[string]string {
	var answer struct {
		Results []struct{ Instance, Result wire.String }
	}
	if wire.Unmarshal(body, &answer) != nil {
		return nil
	}
	words := make(map[string]string, len(answer.Results))
	for _, r := range answer.Results {
		id, word := string(r.Instance), string(r.Result)
		if earlier, ok := words[id]; ok && earlier != word {
			word = ""
		}
		words[id] = word
	}
	return words
}

// decodeRestoreID reads what a restore answered, empty if it gave no id.
func decodeRestoreID(body []byte) string {
	var answer struct {
		ID wire.String `json:"restore_id"`
	}
	if wire.Unmarshal(body, &answer) != nil {
		return ""
	}
	return string(answer.ID)
}
