package vendors

import (
	"fmt"
	"time"
)

// Kind is the class of a vendor's answer. The engine decides by it alone.
type Kind int

// The classes of answers.
const (
	// Done: the call did what it says; synchronous work is complete.
	Done Kind = iota + 1
	// Accepted: asynchronous work was taken; Verdict.Task follows it.
	Accepted
	// Throttled: turned away for the rate of calls; not executed.
	Throttled
	// Transient: failed, and shown not to have been executed.
	Transient
	// Busy: the instance is locked by other work; not executed.
	Busy
	// Refused: a caller or state error; not executed and not worth a retry.
	Refused
	// Unauthorized: key, signature, clock or permission; not executed.
	Unauthorized
	// Ambiguous: it may have been executed.
	Ambiguous
	// Withheld: our own commit failed, so nothing was sent.
	Withheld
	// Unexplained: turned away in a call for many without a reason of its own;
	// not executed. Asked by itself, the vendor gives the reason.
	Unexplained
)

var kindNames = [...]string{"", "done", "accepted", "throttled", "transient", "busy", "refused", "unauthorized", "ambiguous", "withheld", "unexplained"}

// String is the class in the words of the documentation and of metrics.
func (k Kind) String() string {
	if k <= 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kindNames[k]
}

// Reason codes that adapters give, as in the contract's list.
const (
	ReasonInstanceNotFound     = "instance_not_found"
	ReasonInstanceState        = "instance_state"
	ReasonInstanceBusy         = "instance_busy"
	ReasonBackupNotFound       = "backup_not_found"
	ReasonBackupUnusable       = "backup_unusable"
	ReasonPasswordInvalid      = "password_invalid"
	ReasonUnauthorized         = "unauthorized"
	ReasonQuotaExhausted       = "quota_exhausted"
	ReasonOperationUnsupported = "operation_unsupported"
	ReasonVendorRefused        = "vendor_refused"
	ReasonVendorUnavailable    = "vendor_unavailable"
	ReasonVendorError          = "vendor_error"
	ReasonTaskFailed           = "task_failed"
	ReasonOutcomeUnknown       = "outcome_unknown"
)

// Verdict is one vendor answer, classified. It is a value, not an error, since
// most classes are ordinary events in the life of a command.
type Verdict struct {
	Kind Kind
	// Reason is the contract's reason code, set for everything but Done and
	// Accepted.
	Reason string
	// Message says what happened, for a person, without secrets.
	Message string
	// Task is the work to follow, for Accepted.
	Task Task
	// RetryAfter is how long the vendor asked us to wait, if it did.
	RetryAfter time.Duration
	// Response holds the vendor's own words.
	Response Response
	// Err is what commit returned, for Withheld.
	Err error
}

// Response is what the vendor said, as the result event reports it.
type Response struct {
	HTTPStatus int    `json:"httpStatus,omitempty"`
	Code       string `json:"code,omitempty"`
	Message    string `json:"message,omitempty"`
	RequestID  string `json:"requestId,omitempty"`
	TaskID     string `json:"taskId,omitempty"`
}

// IsZero reports that the vendor said nothing.
func (r Response) IsZero() bool { return r == Response{} }
