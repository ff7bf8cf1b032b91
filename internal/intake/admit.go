package intake

import (
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// order is a command that has passed every check and is ready to be stored.
type order struct {
	command events.Command
	raw     []byte
	// id makes its storing idempotent.
	id string
}

// admit makes the event the client's own and applies the rules in the contract's
// order. Between what the event is and what is configured comes what the client may:
// it need not learn which accounts there are.
func (h *Handler) admit(c *client, env events.Envelope, late addition, now time.Time) (order, *problem) {
	env = own(c, env)
	command, why := events.Parse(env, now)
	if why != nil {
		return order{}, refused(command, why)
	}
	if p := c.rights(command); p != nil {
		return order{}, p
	}
	if why := h.opts.Check(command, now); why != nil {
		return order{}, refused(command, why)
	}
	return encode(c, command, env, late.to(env))
}

// encode makes the message of a command, and reads it again as a consumer will: what
// was accepted must never turn out to be no command, or another.
func encode(c *client, command events.Command, env, full events.Envelope) (order, *problem) {
	id, err := contentID(env)
	if err != nil {
		return order{}, newProblem(http.StatusBadRequest, events.ReasonInvalidEvent, err.Error())
	}
	raw, err := full.Structured()
	switch {
	case err != nil:
		return order{}, newProblem(http.StatusBadRequest, events.ReasonInvalidEvent, err.Error())
	case len(raw) > events.MaxPayload:
		return order{}, newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, "the event is over 64 KiB")
	}
	back, err := events.Open(nil, raw)
	if err == nil {
		again, why := events.Parse(back, command.Received)
		if why == nil && again.Event.ID == command.Event.ID && again.Token == command.Token && again.Priority == command.Priority &&
			again.Fingerprint() == command.Fingerprint() && back.Extensions[events.ExtensionPublisher] == c.Name {
			return order{command, raw, id}, nil
		}
	}
	return order{}, newProblem(http.StatusBadRequest, events.ReasonInvalidEvent,
		"an attribute of the event has a name or value that does not survive in structured mode; leave extensions such as data out")
}

// addition is what the intake adds to an event that does not say it. It differs
// between repeats of one request.
type addition struct {
	trace events.Trace
	time  time.Time
}

func (a addition) to(env events.Envelope) events.Envelope {
	if env.Trace.Parent == "" {
		env.Trace.Parent, env.Trace.State = a.trace.Parent, a.trace.State
	}
	if env.Time.IsZero() {
		env.Time = a.time
	}
	return env
}

// own replaces what the client cannot say itself: where the event comes from. Its
// data has been carried as JSON, whatever kind of JSON it says it is.
func own(c *client, env events.Envelope) events.Envelope {
	env.Source = "/intake/" + c.Name
	extensions := maps.Clone(env.Extensions)
	if extensions == nil {
		extensions = map[string]string{}
	}
	extensions[events.ExtensionPublisher] = c.Name
	env.Extensions = extensions
	return env
}

// contentID names an event and its content, so that a request that is repeated is
// stored once. It is made before the addition.
func contentID(env events.Envelope) (string, error) {
	raw, err := env.Structured()
	if err != nil {
		return "", err
	}
	return "http-" + events.TokenKey(string(raw)), nil
}

// rights refuses what the client may not ask for.
func (c *client) rights(command events.Command) *problem {
	var p *problem
	switch {
	case !c.mayAsk(command.Operation):
		p = newProblem(http.StatusForbidden, events.ReasonOperationNotAllowed, fmt.Sprintf("publisher %s may not ask for %s", c.Name, command.Operation))
	case !c.mayUse(command.Account):
		p = newProblem(http.StatusForbidden, codeAccountNotAllowed, fmt.Sprintf("publisher %s may not ask for anything of this account", c.Name))
		at := "/account"
		p.Pointer = &at
	default:
		return nil
	}
	p.outcome = outcomeForbidden
	return p
}
