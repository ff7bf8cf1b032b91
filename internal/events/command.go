// Package events is the outside of Sluice as data: commands and results as
// CloudEvents on NATS, their subjects, tokens and schemas. It reads both modes
// liberally and writes structured mode strictly. It knows neither the broker nor
// what becomes of a command.
package events

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// Operations, most harmless first.
const (
	Restart     = "restart"
	SoftRestart = "soft_restart"
	Flush       = "flush"
	Restore     = "restore"
)

// Priorities, most urgent first.
const (
	Urgent = "urgent"
	Normal = "normal"
	Bulk   = "bulk"
)

// Priorities lists the priorities, most urgent first.
func Priorities() []string { return []string{Urgent, Normal, Bulk} }

// Operations lists the operations.
func Operations() []string { return []string{Restart, SoftRestart, Flush, Restore} }

// Command is one validated request for one operation on one instance.
type Command struct {
	// Event is what the result refers back to.
	Event Ref `json:"event"`
	// Token names the work; Key is its hash as used in ids and the ledger.
	Token string `json:"token"`
	Key   string `json:"key"`
	// DerivedToken reports that the publisher gave no token.
	DerivedToken bool `json:"derivedToken,omitempty"`

	Vendor     string `json:"vendor"`
	Account    string `json:"account"`
	Region     string `json:"region"`
	Operation  string `json:"operation"`
	InstanceID string `json:"instanceId"`
	// Priority is the stated one, else normal until Matches takes the lane's.
	Priority   string     `json:"priority"`
	DryRun     bool       `json:"dryRun,omitempty"`
	Parameters Parameters `json:"-"`

	// ExpiryTime is the event's own expirytime; zero when it has none.
	ExpiryTime time.Time `json:"expiryTime,omitzero"`
	// Received is when the broker stored the command.
	Received time.Time `json:"received"`
	// Trace and correlation are carried into every result unchanged.
	Trace Trace `json:"trace,omitzero"`
	// Publisher is who sent the command over HTTP, where the intake has proven it;
	// whoever reads the message sets it.
	Publisher string `json:"publisher,omitempty"`

	// priorityOpen reports that the data states no priority.
	priorityOpen bool
}

// Ref identifies the command event, as in a result's data.command.
type Ref struct {
	ID     string    `json:"id"`
	Source string    `json:"source"`
	Type   string    `json:"type"`
	Time   time.Time `json:"time,omitzero"`
}

// Trace is what a command carries for its publisher's tracing.
type Trace struct {
	Parent      string `json:"traceparent,omitempty"`
	State       string `json:"tracestate,omitempty"`
	Correlation string `json:"correlationid,omitempty"`
}

// Parameters of restore and flush.
type Parameters struct {
	BackupID  string
	TimePoint time.Time
	Password  *Password
}

// Password is one of three forms; Plain is accepted only where the configuration
// says so. Exactly one field is set.
type Password struct {
	SecretRef string
	// Sealed is base64 of the box that `consumer seal` makes.
	Sealed string
	Plain  secret.Text
}
