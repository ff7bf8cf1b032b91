package events

import (
	"fmt"
	"strconv"
	"strings"
)

// Refusal is why a command is not carried out; it becomes a result.
type Refusal struct {
	// Status is Rejected or Expired.
	Status string
	// Code is one of the reason codes.
	Code    string
	Message string
	Hint    string
	// Pointer is the member of data at fault (RFC 6901); empty where it is none, or
	// data itself.
	Pointer string
}

// Error is code and message, so that a refusal can travel as an error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

func refuse(code, hint, format string, args ...any) *Refusal {
	return &Refusal{Status: Rejected, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Dead-letter reasons.
const (
	NotCloudEvent = "not_cloudevent"
	TooLarge      = "too_large"
	BatchOnLane   = "batch_on_lane"
)

// Undecodable is why a message cannot even be answered; it becomes a dead letter.
type Undecodable struct {
	// Reason is NotCloudEvent, TooLarge or BatchOnLane.
	Reason string
	// Detail says what is wrong, in printable ASCII, without the message's values.
	Detail string
}

// Error is reason and detail.
func (u *Undecodable) Error() string { return u.Reason + ": " + u.Detail }

func undecodable(format string, args ...any) *Undecodable {
	return &Undecodable{Reason: NotCloudEvent, Detail: fmt.Sprintf(format, args...)}
}

// quote makes bad input fit to be repeated: short, printable, plainly a quotation.
func quote(s string) string { return strconv.QuoteToASCII(clip(s)) }

// clip bounds what is repeated of bad input.
func clip(s string) string {
	if len(s) <= 128 {
		return s
	}
	return strings.ToValidUTF8(s[:128], "") + "..."
}
