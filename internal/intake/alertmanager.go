package intake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// webhook is Alertmanager's payload, as far as it is read.
type webhook struct {
	Version         string  `json:"version"`
	TruncatedAlerts float64 `json:"truncatedAlerts"`
	Alerts          []alert `json:"alerts"`
}

// alert is one alert of a webhook.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// alertmanager answers POST /v1/alertmanager/<name>. A bad alert keeps no other from
// its command: nobody sends the good ones again once Alertmanager was told that the
// request is bad. Only when all that can be stored is stored, the bad ones are answered.
func (h *Handler) alertmanager(r *http.Request, c *client) ([]stored, *problem) {
	route, p := h.route(r, c)
	if p != nil {
		return nil, p
	}
	hook, p := readWebhook(r)
	if p != nil {
		return nil, p
	}
	if hook.TruncatedAlerts > 0 {
		h.metrics.Truncated.WithLabelValues(route.Name).Add(hook.TruncatedAlerts)
		h.log.Warn("Alertmanager left alerts out of a webhook; they become no command: raise max_alerts of its webhook_config, or group by more labels",
			"route", route.Name, "truncatedAlerts", hook.TruncatedAlerts)
	}
	orders, bad := h.orders(c, route, hook.Alerts, addition{trace: traceOf(r.Header), time: time.Now()})
	out, p := h.publish(r.Context(), c, orders)
	if p != nil {
		h.alerts(route, outcomeUnavailable, len(orders))
		return nil, p
	}
	h.alerts(route, outcomeAccepted, len(orders))
	if len(bad) > 0 {
		first := *bad[0]
		first.Errors = bad
		first.Detail = fmt.Sprintf("%d of %d alerts became no command; the first, %s: %s", len(bad), len(hook.Alerts), first.Fingerprint, first.Detail)
		return nil, &first
	}
	return accepted(out), nil
}

// route finds the route that the request names, for the one client that may use it.
func (h *Handler) route(r *http.Request, c *client) (*Route, *problem) {
	name := strings.TrimPrefix(r.URL.Path, alertmanagerPath)
	route := h.routes[name]
	switch {
	case route == nil:
		_, p := h.nothing(r, c)
		return nil, p
	case route.Client != c.Name:
		return nil, newProblem(http.StatusForbidden, "", "this route is another publisher's")
	}
	return route, nil
}

func readWebhook(r *http.Request) (webhook, *problem) {
	var hook webhook
	media, p := mediaTypeOf(r.Header)
	if p != nil || strings.HasPrefix(media, "application/cloudevents") {
		return hook, newProblem(http.StatusUnsupportedMediaType, "", "send application/json, as Alertmanager does")
	}
	data, p := body(r)
	if p != nil {
		return hook, p
	}
	if err := json.Unmarshal(data, &hook); err != nil {
		return hook, newProblem(http.StatusBadRequest, events.ReasonInvalidEvent, "the body is no webhook of Alertmanager: "+err.Error())
	}
	if hook.Version != "4" {
		return hook, newProblem(http.StatusBadRequest, events.ReasonInvalidEvent, "the webhook's version is not 4")
	}
	return hook, nil
}

// orders makes the commands of a webhook's alerts and says which alerts are bad. Of
// the same firing, sent twice, it makes one.
func (h *Handler) orders(c *client, route *Route, alerts []alert, late addition) (out []order, bad []*problem) {
	seen := map[string]bool{}
	for i, a := range alerts {
		if skipped := h.skip(route, a, late.time); skipped != "" {
			h.alerts(route, skipped, 1)
			continue
		}
		o, p := h.order(c, route, a, late)
		if p == nil && !seen[o.id] {
			seen[o.id] = true
			out = append(out, o)
		}
		if p != nil {
			p.Fingerprint = cmp.Or(p.Fingerprint, a.Fingerprint)
			bad = append(bad, p.at(i))
			h.alerts(route, p.outcome, 1)
			h.log.Warn("an alert became no command", "route", route.Name, "publisher", c.Name, "fingerprint", a.Fingerprint,
				"alertname", a.Labels["alertname"], "code", p.Code, "detail", p.Detail)
		}
	}
	return out, bad
}

func (h *Handler) alerts(route *Route, outcome string, n int) {
	if n > 0 {
		h.metrics.Alerts.WithLabelValues(route.Name, outcome).Add(float64(n))
	}
}
