// Package ledger keeps the durable record of every ClientToken and changes it
// only by compare-and-set. It is the fence of the engine: whoever has not seen
// the latest record cannot write, and whoever cannot write does not send.
//
// It knows nothing of vendors or events: tasks, baselines and outcomes are kept
// as the engine hands them in. No secret may be put into a record.
package ledger

import (
	"encoding/json"
	"slices"
	"time"
)

// State is how far the work of a token is.
type State string

// The states of a token.
const (
	// Claimed: the token is taken; nothing was sent, or what was sent is shown
	// not to have run.
	Claimed State = "claimed"
	// Sending: an intent is recorded; the call may have left.
	Sending State = "sending"
	// Accepted: the vendor took the work and it is being followed.
	Accepted State = "accepted"
	// Final: the outcome stands.
	Final State = "final"
	// Free: the work expired before anything was sent; the token may be taken
	// again, by any work.
	Free State = "free"
)

// Record is everything known of one token.
type Record struct {
	Token       string `json:"token"`
	Fingerprint string `json:"fingerprint"`
	State       State  `json:"state"`
	// Writer and Write name this version: which process wrote it, and its how
	// manieth write it was. After a write whose answer was lost they tell
	// whether it was stored.
	Writer string `json:"writer"`
	Write  uint64 `json:"write"`

	// Command is the first command of the token, as the engine encodes it.
	Command json.RawMessage `json:"command"`

	// Started is when the first intent was recorded.
	Started time.Time `json:"started,omitzero"`
	// Attempts counts the intents; History holds the latest of them.
	Attempts int       `json:"attempts"`
	History  []Attempt `json:"history,omitempty"`

	// Task is the accepted work, as the engine encodes it.
	Task json.RawMessage `json:"task,omitempty"`
	// AcceptedAt is when the vendor took asynchronous work.
	AcceptedAt time.Time `json:"acceptedAt,omitzero"`

	// Outcome ends the record.
	Outcome *Outcome `json:"outcome,omitempty"`

	// Expired are the events that were told that their time had passed, and Reused
	// those that were told that the token names other work, which might have expired
	// unsent; the newest last. They are told so again however often they come back,
	// whoever holds the token then.
	Expired []string `json:"expired,omitempty"`
	Reused  []Reuse  `json:"reused,omitempty"`
}

// Reuse is the refusal of an event whose token named other work.
type Reuse struct {
	// Event was refused.
	Event string `json:"event"`
	// FirstID and FirstTime are what identified the command that held the token.
	FirstID   string    `json:"firstId"`
	FirstTime time.Time `json:"firstTime"`
}

// Attempt is one intent and what became of it.
type Attempt struct {
	N int `json:"n"`
	// SignedAt is the time in the request's signature.
	SignedAt time.Time `json:"signedAt"`
	// Replica sent it.
	Replica string `json:"replica,omitempty"`
	// Baseline is what was read before, to compare with after a lost answer.
	Baseline json.RawMessage `json:"baseline,omitempty"`
	// Verdict is the class of the answer, empty while there is none.
	Verdict string `json:"verdict,omitempty"`
	// Answer is the vendor's answer, as the engine encodes it.
	Answer json.RawMessage `json:"answer,omitempty"`
	// Answered is when the verdict was known.
	Answered time.Time `json:"answered,omitzero"`
	// Finding is what was found out about a lost answer; nil for any other.
	Finding *Finding `json:"finding,omitempty"`
}

// Finding is the end of the search for what became of a lost answer.
type Finding struct {
	// Conclusion is the engine's word for it.
	Conclusion string `json:"conclusion"`
	// Evidence is what was compared with the baseline and found.
	Evidence string `json:"evidence,omitempty"`
	// Looks is how often this replica looked.
	Looks   int    `json:"looks"`
	Replica string `json:"replica,omitempty"`
	// At is when the search ended.
	At time.Time `json:"at"`
}

// Outcome is the end of a token's work, as results report it.
type Outcome struct {
	Status   string          `json:"status"`
	Code     string          `json:"code,omitempty"`
	Message  string          `json:"message,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Answer   json.RawMessage `json:"answer,omitempty"`
	Finished time.Time       `json:"finished"`
}

// maxHistory and maxTold bound the record; the oldest are dropped first.
const (
	maxHistory = 16
	maxTold    = 64
)

// Free makes the token free again, for work that ends before anything was sent. The
// record stays, so that a claim which was under way when it was freed cannot bring it
// back, and so that it is known who was told what.
func (r *Record) Free() {
	*r = Record{Token: r.Token, State: Free, Expired: r.Expired, Reused: r.Reused}
}

// TellExpired notes that an event was told that its time had passed.
func (r *Record) TellExpired(event string) { r.Expired = remember(r.Expired, event) }

// TellReused notes that an event was told that the token names other work.
func (r *Record) TellReused(told Reuse) { r.Reused = remember(r.Reused, told) }

// ToldExpired reports whether an event was told that its time had passed.
func (r *Record) ToldExpired(event string) bool { return slices.Contains(r.Expired, event) }

// ToldReused is what an event was told of the work that the token named; ok is false
// if it was not.
func (r *Record) ToldReused(event string) (told Reuse, ok bool) {
	for _, told := range r.Reused {
		if told.Event == event {
			return told, true
		}
	}
	return Reuse{}, false
}

// remember appends to a copy of what was told, of which the newest are kept: other
// versions of the record share the old one.
func remember[T any](told []T, more T) []T {
	told = append(slices.Clone(told), more)
	return told[max(0, len(told)-maxTold):]
}

// Last returns the newest attempt, or nil.
func (r *Record) Last() *Attempt {
	if len(r.History) == 0 {
		return nil
	}
	return &r.History[len(r.History)-1]
}

// Begin appends an attempt and moves the record to Sending.
func (r *Record) Begin(a Attempt) {
	r.State = Sending
	r.Attempts++
	a.N = r.Attempts
	if r.Started.IsZero() {
		// Not SignedAt: vendors sign whole seconds, which would lie before the receipt.
		r.Started = time.Now().UTC()
	}
	r.History = append(r.History, a)
	if len(r.History) > maxHistory {
		r.History = r.History[len(r.History)-maxHistory:]
	}
}
