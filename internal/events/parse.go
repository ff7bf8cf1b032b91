package events

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/types"

	"github.com/seed-7b870224/sluice/internal/secret"
)

const (
	commandTypePrefix = "dev.sluice.command."
	resultTypePrefix  = "dev.sluice.result."
	typeVersion       = ".v1"
)

// CommandType is the event type that asks for an operation.
func CommandType(operation string) string { return commandTypePrefix + operation + typeVersion }

// ResultType is the event type of results with a status.
func ResultType(status string) string { return resultTypePrefix + status + typeVersion }

// commandData is the wire form of a command's data.
type commandData struct {
	ClientToken string `json:"clientToken,omitempty"`
	Vendor      string `json:"vendor"`
	Account     string `json:"account"`
	Region      string `json:"region"`
	InstanceID  string `json:"instanceId"`
	Priority    string `json:"priority,omitempty"`
	DryRun      bool   `json:"dryRun,omitempty"`
	Parameters  *struct {
		BackupID  string          `json:"backupId,omitempty"`
		TimePoint string          `json:"timePoint,omitempty"`
		Password  json.RawMessage `json:"password,omitempty"`
	} `json:"parameters,omitempty"`
}

// Parse checks the type and then the data of an event and reads the command. The
// command is filled as far as it could be read even when it is refused, so that
// the refusal can be answered. received is when the broker stored the message.
func Parse(env Envelope, received time.Time) (Command, *Refusal) {
	c := Command{
		Event:    Ref{ID: env.ID, Source: env.Source, Type: env.Type, Time: env.Time},
		Priority: Normal, Received: received, Trace: env.Trace,
	}
	c.deriveToken()
	salvage(env.Data, &c)
	op, known := operationOf(env.Type)
	if !known {
		return c, refuse(ReasonInvalidEvent, "the types are "+CommandType("<operation>")+" with restart, soft_restart, flush or restore",
			"the event type %q is no command", clip(env.Type))
	}
	c.Operation = op
	if env.ExpiryTime != "" {
		t, err := types.ParseTime(env.ExpiryTime)
		if err != nil {
			return c, refuse(ReasonInvalidEvent, "write it as RFC 3339, like 2026-01-02T03:04:05Z", "attribute expirytime is no timestamp")
		}
		c.ExpiryTime = t
	}
	if why := c.readData(env); why != nil {
		return c, why
	}
	if env.Subject != "" && env.Subject != c.InstanceID {
		return c, refuse(ReasonSubjectMismatch, "leave the event's subject out, or set it to data.instanceId",
			"the event's subject is not the instance id of its data")
	}
	return c, nil
}

// operationOf reads the operation from an event type.
func operationOf(eventType string) (string, bool) {
	for _, op := range Operations() {
		if eventType == CommandType(op) {
			return op, true
		}
	}
	return "", false
}

// readData checks the data against its schema and takes it in.
func (c *Command) readData(env Envelope) *Refusal {
	if env.DataProblem != "" {
		return refuse(ReasonInvalidData, "send the command as JSON", "data cannot be read: %s", env.DataProblem)
	}
	if env.Data == nil {
		return refuse(ReasonInvalidData, "see the schema command."+c.Operation+".v1.json", "the event has no data; an object was expected")
	}
	if p := validate("command."+c.Operation+".v1.json", env.Data); p != nil {
		where := p.pointer
		if where == "" {
			where = "data"
		}
		return refuse(ReasonInvalidData, "see the schema command."+c.Operation+".v1.json", "%s: %s", where, p.what)
	}
	var d commandData
	if err := json.Unmarshal(env.Data, &d); err != nil {
		return refuse(ReasonInvalidData, "see the schema command."+c.Operation+".v1.json", "data cannot be read as a command")
	}
	return c.take(d)
}

// take fills the command from data that satisfies the schema.
func (c *Command) take(d commandData) *Refusal {
	c.Vendor, c.Account, c.Region, c.InstanceID, c.DryRun = d.Vendor, d.Account, d.Region, d.InstanceID, d.DryRun
	if d.Priority != "" {
		c.Priority = d.Priority
	}
	if d.ClientToken != "" {
		c.Token, c.Key, c.DerivedToken = d.ClientToken, TokenKey(d.ClientToken), false
	}
	if d.Parameters == nil {
		return nil
	}
	c.Parameters.BackupID = d.Parameters.BackupID
	if d.Parameters.TimePoint != "" {
		t, err := time.Parse(time.RFC3339, d.Parameters.TimePoint)
		if err != nil {
			return refuse(ReasonInvalidData, "write it as RFC 3339, like 2026-01-02T03:04:05Z", "/parameters/timePoint: is no timestamp")
		}
		c.Parameters.TimePoint = t.UTC()
	}
	c.Parameters.Password = passwordOf(d.Parameters.Password)
	return nil
}

// passwordOf reads the three forms of a password.
func passwordOf(raw json.RawMessage) *Password {
	if len(raw) == 0 {
		return nil
	}
	var plain string
	if json.Unmarshal(raw, &plain) == nil {
		return &Password{Plain: secret.New(plain)}
	}
	var forms struct{ SecretRef, Sealed string }
	if json.Unmarshal(raw, &forms) != nil {
		return nil
	}
	return &Password{SecretRef: forms.SecretRef, Sealed: forms.Sealed}
}

// deriveToken sets the token of a command that has none.
func (c *Command) deriveToken() {
	c.Token, c.DerivedToken = DerivedToken(c.Event.Source, c.Event.ID), true
	c.Key = TokenKey(c.Token)
}

// salvage reads of data whatever can be read, for the answer to a command that is
// refused: each field by itself, as one of them is wrong.
func salvage(data json.RawMessage, c *Command) {
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return
	}
	text := func(name string) string {
		var s string
		_ = json.Unmarshal(members[name], &s)
		return s
	}
	c.Vendor, c.Account, c.Region = clip(text("vendor")), clip(text("account")), clip(text("region"))
	c.InstanceID = clip(text("instanceId"))
	if token := text("clientToken"); validToken(token) {
		c.Token, c.Key, c.DerivedToken = token, TokenKey(token), false
	}
	if p := text("priority"); p == Urgent || p == Bulk {
		c.Priority = p
	}
	_ = json.Unmarshal(members["dryRun"], &c.DryRun)
}

// validToken reports 1 to 127 printable ASCII characters.
func validToken(token string) bool {
	if token == "" || len(token) > 127 {
		return false
	}
	return strings.IndexFunc(token, func(r rune) bool { return r < 0x20 || r > 0x7E }) < 0
}

// clip bounds what is repeated of bad input.
func clip(s string) string {
	if len(s) <= 128 {
		return s
	}
	return strings.ToValidUTF8(s[:128], "")
}

// Matches compares a lane's subject with the command.
func (c Command) Matches(l Lane) *Refusal {
	for _, p := range []struct{ name, subject, data string }{
		{"vendor", l.Vendor, c.Vendor}, {"account", l.Account, c.Account}, {"region", l.Region, c.Region},
		{"operation", l.Operation, c.Operation}, {"priority", l.Priority, c.Priority},
	} {
		if p.subject != p.data {
			return refuse(ReasonSubjectMismatch, "publish to the subject of the command's own lane, or to the intake",
				"the %s of the subject is %q, that of the command %q", p.name, clip(p.subject), clip(p.data))
		}
	}
	return nil
}

// futureSlack is how far ahead of the broker a command's time may be.
const futureSlack = 5 * time.Minute

// Deadline is when the command may no longer start: its own expirytime, or
// maxAge after its time. Without a believable time the broker's receipt counts.
func (c Command) Deadline(maxAge time.Duration) time.Time {
	if !c.ExpiryTime.IsZero() {
		return c.ExpiryTime
	}
	from := c.Event.Time
	if from.IsZero() || from.After(c.Received.Add(futureSlack)) {
		from = c.Received
	}
	return from.Add(maxAge)
}
