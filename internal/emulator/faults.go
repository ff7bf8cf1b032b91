package emulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FaultKind names what goes wrong.
type FaultKind string

// The kinds of fault. Those ending in before leave the cloud untouched; those
// ending in after let the call take effect and then spoil the answer.
const (
	// FaultLatency delays the call by Delay; it takes effect even if the client
	// has gone meanwhile. It combines with one fault of another kind.
	FaultLatency FaultKind = "latency"
	// FaultHang never answers and has no effect. Clearing the fault lets calls
	// that still wait go on.
	FaultHang FaultKind = "hang"
	// FaultLateEffect never answers, and takes effect after Delay even if the
	// client has gone. The signature is judged then, not on arrival.
	FaultLateEffect FaultKind = "late_effect"
	// FaultDropBefore and FaultDropAfter close the connection without an answer.
	FaultDropBefore FaultKind = "drop_before"
	FaultDropAfter  FaultKind = "drop_after"
	// FaultStatusBefore and FaultStatusAfter answer as an intermediary would:
	// Status (default 502 and 504) with Body (default a page of HTML).
	FaultStatusBefore FaultKind = "status_before"
	FaultStatusAfter  FaultKind = "status_after"
	// FaultErrorBefore and FaultErrorAfter answer Code and Message in the
	// vendor's own envelope, with Status where it matters.
	FaultErrorBefore FaultKind = "error_before"
	FaultErrorAfter  FaultKind = "error_after"
	// FaultGarbageBefore and FaultGarbageAfter answer 200 with a broken body.
	FaultGarbageBefore FaultKind = "garbage_before"
	FaultGarbageAfter  FaultKind = "garbage_after"
	// FaultEmptyBefore and FaultEmptyAfter answer 200 without a body.
	FaultEmptyBefore FaultKind = "empty_before"
	FaultEmptyAfter  FaultKind = "empty_after"
	// FaultThrottle answers that the quota is used up.
	FaultThrottle FaultKind = "throttle"
	// FaultRedirect answers 307 to Location. The default is a path of the
	// emulator that records who follows.
	FaultRedirect FaultKind = "redirect"
)

// faultKinds is every kind, for checks and help.
var faultKinds = []FaultKind{
	FaultLatency, FaultHang, FaultLateEffect, FaultDropBefore, FaultDropAfter, FaultStatusBefore, FaultStatusAfter,
	FaultErrorBefore, FaultErrorAfter, FaultGarbageBefore, FaultGarbageAfter, FaultEmptyBefore, FaultEmptyAfter,
	FaultThrottle, FaultRedirect,
}

// after reports whether the call takes effect first.
func (k FaultKind) after() bool { return strings.HasSuffix(string(k), "_after") }

// Fault is something that goes wrong with the calls it matches. Empty matching
// fields match everything; Instance may end in * for a prefix.
type Fault struct {
	// ID names the fault; SetFault makes one up if it is empty and replaces the
	// fault that has it.
	ID        string    `json:"id,omitempty"`
	Kind      FaultKind `json:"kind"`
	Vendor    Vendor    `json:"vendor,omitempty"`
	Action    string    `json:"action,omitempty"`
	Operation Operation `json:"operation,omitempty"`
	Instance  string    `json:"instance,omitempty"`
	// Times is how often it strikes; 0 means until it is cleared.
	Times int `json:"times,omitempty"`
	// Probability that it strikes a matching call; 0 means always.
	Probability float64       `json:"probability,omitempty"`
	Delay       time.Duration `json:"-"`
	Status      int           `json:"status,omitempty"`
	Code        string        `json:"code,omitempty"`
	Message     string        `json:"message,omitempty"`
	Body        string        `json:"body,omitempty"`
	Location    string        `json:"location,omitempty"`
	RetryAfter  string        `json:"retryAfter,omitempty"`
	// Applied counts how often it struck. It is ignored on input.
	Applied int `json:"applied"`
}

type plainFault Fault

type faultJSON struct {
	Delay duration `json:"delay,omitzero"`
	plainFault
}

// MarshalJSON writes the delay as text.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(faultJSON{duration(f.Delay), plainFault(f)})
}

// UnmarshalJSON refuses unknown fields.
func (f *Fault) UnmarshalJSON(raw []byte) error {
	var j faultJSON
	if err := decodeStrict(raw, &j); err != nil {
		return err
	}
	*f = Fault(j.plainFault)
	f.Delay = time.Duration(j.Delay)
	return nil
}

func (f Fault) check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("fault kind %q is none of %s", f.Kind, strings.Trim(fmt.Sprint(faultKinds), "[]"))
	case f.Vendor != "" && !f.Vendor.known():
		return fmt.Errorf("fault vendor %q is none of %s", f.Vendor, strings.Trim(fmt.Sprint(vendors), "[]"))
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("fault probability %v is not between 0 and 1", f.Probability)
	case f.Delay < 0 || f.Times < 0:
		return fmt.Errorf("fault delay and times must not be negative")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault status %d is not an HTTP status from 200 to 599", f.Status)
	case (f.Kind == FaultErrorBefore || f.Kind == FaultErrorAfter) && f.Code == "":
		return fmt.Errorf("fault %s needs a code of the vendor", f.Kind)
	}
	return nil
}

func (f Fault) match(x *exchange) bool {
	return (f.Vendor == "" || f.Vendor == x.vendor) &&
		(f.Action == "" || f.Action == x.action) &&
		(f.Operation == "" || f.Operation == x.op) &&
		(f.Instance == "" || slices.ContainsFunc(x.instances, f.names))
}

func (f Fault) names(id string) bool {
	if prefix, ok := strings.CutSuffix(f.Instance, "*"); ok {
		return strings.HasPrefix(id, prefix)
	}
	return id == f.Instance
}
