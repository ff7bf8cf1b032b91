package intake

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// skip says why an alert is not to become a command, or nothing.
//
// One that has been firing for longer than the ledger remembers cannot be told from
// one that became a command long ago, and what ran once must not run again.
func (h *Handler) skip(route *Route, a alert, now time.Time) (outcome string) {
	switch {
	case a.Status == "resolved":
		return outcomeResolved
	case !matches(route.Match, a.Labels):
		return outcomeUnmatched
	case h.opts.AlertAge > 0 && !a.StartsAt.IsZero() && now.Sub(a.StartsAt) > h.opts.AlertAge:
		h.log.Warn("an alert has been firing for longer than the ledger remembers; it becomes no command, a person must look",
			"route", route.Name, "fingerprint", a.Fingerprint, "alertname", a.Labels["alertname"], "startsAt", a.StartsAt, "longest", h.opts.AlertAge)
		return outcomeStale
	}
	return ""
}

func matches(want, labels map[string]string) bool {
	for name, value := range want {
		if have, ok := labels[name]; !ok || have != value {
			return false
		}
	}
	return true
}

// firing names one firing of one alert for a route: the same for repeats, retries
// and every Alertmanager of a cluster. It is the event's id, and the token where no
// template makes another: am- and the token key of the route's name, the
// fingerprint and startsAt (RFC 3339 in UTC, fraction without trailing zeros), a
// line feed between them.
func firing(route string, a alert) string {
	return "am-" + events.TokenKey(route+"\n"+a.Fingerprint+"\n"+a.StartsAt.UTC().Format(time.RFC3339Nano))
}

// order makes the command of one alert.
func (h *Handler) order(c *client, route *Route, a alert, late addition) (order, *problem) {
	if a.Status != "firing" || a.Fingerprint == "" || a.StartsAt.IsZero() {
		return order{}, newProblem(http.StatusUnprocessableEntity, events.ReasonInvalidEvent, "the alert has no fingerprint, no startsAt, or a status that is neither firing nor resolved")
	}
	env, p := route.event(a)
	if p != nil {
		return order{}, p
	}
	o, p := h.admit(c, env, late, late.time)
	if p != nil && p.Status == http.StatusBadRequest {
		p.Status, p.Title = http.StatusUnprocessableEntity, http.StatusText(http.StatusUnprocessableEntity)
	}
	return o, p
}

// event is the alert as a command event, but for its source and time. The time will
// be that of the webhook and not startsAt: that Alertmanager still sends the alert
// means that it is firing now.
func (route *Route) event(a alert) (events.Envelope, *problem) {
	seen := Alert{Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, Fingerprint: a.Fingerprint}
	env := events.Envelope{SpecVersion: "1.0", ID: firing(route.Name, a), Source: "alertmanager", DataContentType: "application/json"}
	data := map[string]string{"clientToken": env.ID}
	operation := ""
	for _, field := range []struct {
		name     string
		template Template
	}{
		{"operation", route.Operation}, {"vendor", route.Vendor}, {"account", route.Account}, {"region", route.Region},
		{"instanceId", route.InstanceID}, {"priority", route.Priority}, {"clientToken", route.ClientToken},
	} {
		if field.template == nil {
			continue
		}
		value, err := field.template(seen)
		if err != nil {
			return env, templateFailed(field.name, a, err)
		}
		value = strings.TrimSpace(value)
		if field.name == "operation" {
			operation = value
		} else {
			data[field.name] = value
		}
	}
	env.Type = events.CommandType(operation)
	encoded, err := json.Marshal(data)
	if err != nil {
		return env, templateFailed("command", a, err)
	}
	env.Data = encoded
	return env, nil
}

// missingLabel finds the label in the words of package text/template.
var missingLabel = regexp.MustCompile(`map has no entry for key "((?:[^"\\]|\\.)*)"`)

func templateFailed(field string, a alert, err error) *problem {
	p := newProblem(http.StatusUnprocessableEntity, codeTemplateFailed, "command."+field+": "+err.Error())
	p.Fingerprint, p.outcome = a.Fingerprint, outcomeTemplate
	p.Hint = "give the alert the label, match only alerts that have it, or correct the route's template"
	if m := missingLabel.FindStringSubmatch(err.Error()); m != nil {
		p.Label = m[1]
	}
	return p
}
