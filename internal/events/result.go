package events

import "time"

// Statuses of a result.
const (
	Accepted      = "accepted"
	Succeeded     = "succeeded"
	Failed        = "failed"
	Rejected      = "rejected"
	Expired       = "expired"
	Indeterminate = "indeterminate"
	Cancelled     = "cancelled"
)

// Reason codes of a result.
const (
	ReasonInvalidEvent         = "invalid_event"
	ReasonInvalidData          = "invalid_data"
	ReasonSubjectMismatch      = "subject_mismatch"
	ReasonUnknownVendor        = "unknown_vendor"
	ReasonUnknownAccount       = "unknown_account"
	ReasonUnknownRegion        = "unknown_region"
	ReasonOperationUnsupported = "operation_unsupported"
	ReasonOperationNotAllowed  = "operation_not_allowed"
	ReasonPlaintextSecret      = "plaintext_secret"
	ReasonSecretUnavailable    = "secret_unavailable"
	ReasonTokenReused          = "token_reused"
	ReasonExpired              = "expired"
	ReasonInstanceNotFound     = "instance_not_found"
	ReasonInstanceState        = "instance_state"
	ReasonInstanceBusy         = "instance_busy"
	ReasonBackupNotFound       = "backup_not_found"
	ReasonBackupUnusable       = "backup_unusable"
	ReasonPasswordInvalid      = "password_invalid"
	ReasonUnauthorized         = "unauthorized"
	ReasonQuotaExhausted       = "quota_exhausted"
	ReasonVendorRefused        = "vendor_refused"
	ReasonVendorUnavailable    = "vendor_unavailable"
	ReasonVendorError          = "vendor_error"
	ReasonTaskFailed           = "task_failed"
	ReasonTrackTimeout         = "track_timeout"
	ReasonOutcomeUnknown       = "outcome_unknown"
	ReasonCancelled            = "cancelled"
)

// Result is the data of a result event. Absent facts are absent in JSON.
type Result struct {
	ClientToken string `json:"clientToken"`
	Vendor      string `json:"vendor,omitempty"`
	Account     string `json:"account,omitempty"`
	Region      string `json:"region,omitempty"`
	Operation   string `json:"operation,omitempty"`
	InstanceID  string `json:"instanceId,omitempty"`
	Priority    string `json:"priority,omitempty"`
	Status      string `json:"status"`
	Final       bool   `json:"final"`
	Duplicate   bool   `json:"duplicate"`
	DryRun      bool   `json:"dryRun"`
	Attempts    int    `json:"attempts"`
	// Command is the command answered.
	Command        CommandRef      `json:"command"`
	Reason         *Reason         `json:"reason,omitempty"`
	VendorResponse *VendorResponse `json:"vendorResponse,omitempty"`
	Times          Times           `json:"times"`
	Plan           *Plan           `json:"plan,omitempty"`
}

// CommandRef is data.command: the command event that is answered.
type CommandRef struct {
	ID     string `json:"id"`
	Source string `json:"source"`
	Type   string `json:"type"`
	Time   *Time  `json:"time,omitempty"`
}

// Reason says why a result is what it is.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// VendorResponse is the vendor's own words.
type VendorResponse struct {
	HTTPStatus int    `json:"httpStatus,omitempty"`
	Code       string `json:"code,omitempty"`
	Message    string `json:"message,omitempty"`
	RequestID  string `json:"requestId,omitempty"`
	TaskID     string `json:"taskId,omitempty"`
}

// Times of a command's life.
type Times struct {
	Received *Time `json:"received,omitempty"`
	Started  *Time `json:"started,omitempty"`
	Accepted *Time `json:"accepted,omitempty"`
	Finished *Time `json:"finished,omitempty"`
}

// Plan is what a dry run would have sent, secrets masked.
type Plan struct {
	Action   string         `json:"action"`
	Endpoint string         `json:"endpoint"`
	Request  map[string]any `json:"request"`
}

// Time is a moment as results print it: RFC 3339, UTC, milliseconds.
type Time struct{ time.Time }

// timeLayout always prints three digits of milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// At wraps a moment; the zero moment gives nil, hence an absent fact.
func At(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t}
}

// MarshalJSON prints the moment in UTC with milliseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(timeLayout) + `"`), nil
}
