package events

import (
	"bytes"
	"strings"
	"time"

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

// Parse checks an event in the contract's order: its type, its data against the
// schema, its subject against the data. The command is filled as far as it could
// be read even when it is refused, so that the refusal can be answered. received
// is when the broker stored the message.
func Parse(env Envelope, received time.Time) (Command, *Refusal) {
	c := Command{
		Event:    Ref{ID: env.ID, Source: env.Source, Type: env.Type, Time: env.Time},
		Priority: Normal, priorityOpen: true,
		ExpiryTime: env.ExpiryTime, Received: received, Trace: env.Trace,
	}
	doc, bad := decode(env)
	c.fill(doc)
	if why := c.checkType(env); why != nil {
		return c, why
	}
	if bad == nil && !plain(c.Operation, doc) {
		bad = validate(commandSchema(c.Operation), doc, env.Data)
	}
	if bad != nil {
		why := refuse(ReasonInvalidData, "the schema is "+commandSchema(c.Operation), "%s", bad)
		why.Pointer = bad.pointer
		return c, why
	}
	c.Parameters = parametersOf(doc)
	if env.Subject != "" && env.Subject != c.InstanceID {
		return c, refuse(ReasonSubjectMismatch, "leave the event's subject out, or set it to data.instanceId",
			"the event's subject is not the instanceId of its data")
	}
	return c, nil
}

// checkType takes the operation from the event type.
func (c *Command) checkType(env Envelope) *Refusal {
	stated, ok := strings.CutPrefix(env.Type, commandTypePrefix)
	stated, versioned := strings.CutSuffix(stated, typeVersion)
	if ok && versioned {
		c.Operation = stated
	}
	for _, op := range Operations() {
		if c.Operation != op {
			continue
		}
		if _, malformed := env.Extensions["expirytime"]; malformed {
			return refuse(ReasonInvalidEvent, "write it like 2026-01-02T03:04:05Z", "attribute expirytime is not an RFC 3339 timestamp")
		}
		return nil
	}
	return refuse(ReasonInvalidEvent, "the operations are "+strings.Join(Operations(), ", "),
		"the event type %s is not %s", quote(env.Type), CommandType("<operation>"))
}

// decode reads the data as far as the schemas look into it. Without parameters it
// has empty ones, so that the schema names the ones that are needed.
func decode(env Envelope) (any, *problem) {
	data := bytes.TrimSpace(env.Data)
	switch {
	case len(data) == 0:
		return nil, &problem{what: "is missing; an object is expected"}
	case !isJSON(env.DataContentType):
		return nil, &problem{what: "is not JSON by its content type; application/json is expected"}
	case !validJSON(data):
		return nil, &problem{what: "is not valid JSON"}
	}
	doc, bad := tree(data, 1)
	if fields, ok := doc.(map[string]any); ok && fields["parameters"] == nil {
		if _, null := fields["parameters"]; !null {
			fields["parameters"] = map[string]any{}
		}
	}
	return doc, bad
}

// fill takes every field that has the right type, each by itself, since any other
// may be wrong.
func (c *Command) fill(doc any) {
	fields, _ := doc.(map[string]any)
	c.Vendor, _ = fields["vendor"].(string)
	c.Account, _ = fields["account"].(string)
	c.Region, _ = fields["region"].(string)
	c.InstanceID, _ = fields["instanceId"].(string)
	c.DryRun, _ = fields["dryRun"].(bool)
	if p, _ := fields["priority"].(string); isPriority(p) {
		c.Priority, c.priorityOpen = p, false
	}
	c.Token, _ = fields["clientToken"].(string)
	if !validToken(c.Token) {
		c.Token, c.DerivedToken = DerivedToken(c.Event.Source, c.Event.ID), true
	}
	c.Key = TokenKey(c.Token)
}

// parametersOf reads the parameters of data that satisfies its schema.
func parametersOf(doc any) Parameters {
	fields, _ := doc.(map[string]any)["parameters"].(map[string]any)
	var p Parameters
	p.BackupID, _ = fields["backupId"].(string)
	if at, ok := fields["timePoint"].(string); ok {
		t, _ := parseTime(at) // checked by the schema
		p.TimePoint = t.UTC()
	}
	switch password := fields["password"].(type) {
	case string:
		p.Password = &Password{Plain: secret.New(password)}
	case map[string]any:
		p.Password = &Password{}
		p.Password.SecretRef, _ = password["secretRef"].(string)
		p.Password.Sealed, _ = password["sealed"].(string)
	}
	return p
}

func isPriority(p string) bool { return p == Urgent || p == Normal || p == Bulk }

// validToken reports 1 to 127 printable ASCII characters.
func validToken(token string) bool {
	return token != "" && len(token) <= 127 && strings.IndexFunc(token, func(r rune) bool { return r < 0x20 || r > 0x7E }) < 0
}
