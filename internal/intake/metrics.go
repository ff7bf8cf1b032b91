package intake

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the intake's collectors. Their labels are names of the configuration
// and words of this package, so that their number is bounded.
type Metrics struct {
	Requests  *prometheus.CounterVec
	Duration  *prometheus.HistogramVec
	Events    *prometheus.CounterVec
	Alerts    *prometheus.CounterVec
	Truncated *prometheus.CounterVec
}

// Endpoints, as labels.
const (
	endpointCommands     = "commands"
	endpointAlertmanager = "alertmanager"
	endpointOther        = "other"
)

// Outcomes of events and alerts, as labels.
const (
	outcomeAccepted    = "accepted"
	outcomeRefused     = "refused"
	outcomeForbidden   = "forbidden"
	outcomeWithheld    = "withheld"
	outcomeUnavailable = "unavailable"
	outcomeResolved    = "resolved"
	outcomeUnmatched   = "unmatched"
	outcomeTemplate    = "template"
	outcomeStale       = "stale"
)

// NewMetrics makes the collectors and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		Requests: counters("sluice_intake_requests_total", "Requests to the intake over HTTP, by endpoint (commands, alertmanager, other) and status code of the answer.", "endpoint", "code"),
		Duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sluice_intake_request_duration_seconds", Help: "How long requests to the intake took, the storing of their commands included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"endpoint"}),
		Events:    counters("sluice_intake_events_total", "Command events posted, by publisher and outcome: accepted (stored), refused, forbidden (not the publisher's), withheld (a bad one is in the same batch) or unavailable (not known to be stored).", "publisher", "outcome"),
		Alerts:    counters("sluice_intake_alerts_total", "Alerts of Alertmanager's webhook, by route and outcome: accepted (stored; a repeat of a known firing too), resolved or unmatched (skipped), stale (firing for longer than the ledger remembers), template (failed), refused, forbidden or unavailable (not known to be stored).", "route", "outcome"),
		Truncated: counters("sluice_intake_truncated_alerts_total", "Alerts that Alertmanager left out of its webhooks (max_alerts) and that therefore became no command.", "route"),
	}
	if reg != nil {
		reg.MustRegister(m.Requests, m.Duration, m.Events, m.Alerts, m.Truncated)
	}
	return m
}

// show makes what is configured visible before it is used.
func (m *Metrics) show(o Options) {
	for _, c := range o.Clients {
		m.Events.WithLabelValues(c.Name, outcomeAccepted)
	}
	for _, r := range o.Routes {
		m.Alerts.WithLabelValues(r.Name, outcomeAccepted)
		m.Truncated.WithLabelValues(r.Name)
	}
}

// answered counts a request.
func (m *Metrics) answered(endpoint string, code int, took time.Duration) {
	m.Requests.WithLabelValues(endpoint, strconv.Itoa(code)).Inc()
	m.Duration.WithLabelValues(endpoint).Observe(took.Seconds())
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}
