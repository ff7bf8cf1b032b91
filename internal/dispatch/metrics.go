package dispatch

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Metrics are the engine's collectors. No label ever holds a token, an instance
// or a task, so that their number is bounded by the configuration.
type Metrics struct {
	Received        prometheus.Counter
	Results         *prometheus.CounterVec
	Requests        *prometheus.CounterVec
	RequestDuration *prometheus.HistogramVec
	Backlog         *prometheus.GaugeVec
	Oldest          *prometheus.GaugeVec
	InFlight        *prometheus.GaugeVec
	QuotaLimit      *prometheus.GaugeVec
	QuotaConfigured *prometheus.GaugeVec
	QuotaWait       *prometheus.HistogramVec
	BreakerState    *prometheus.GaugeVec
	Unauthorized    *prometheus.GaugeVec
	LeaseHeld       *prometheus.GaugeVec
	LeaseChanges    *prometheus.CounterVec
	Reconciled      *prometheus.CounterVec
	LedgerConflicts prometheus.Counter
	LedgerFull      prometheus.Counter
	Stage           *prometheus.HistogramVec
	DeadLetters     *prometheus.CounterVec

	stages map[string]prometheus.Observer
}

var (
	laneLabels   = []string{"vendor", "account", "region", "operation", "priority"}
	regionLabels = []string{"vendor", "account", "region"}
	actionLabels = []string{"vendor", "account", "region", "action"}
	seconds      = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}
)

// NewMetrics makes the collectors and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		Received:        prometheus.NewCounter(prometheus.CounterOpts{Name: "sluice_commands_received_total", Help: "Deliveries taken from the broker, redeliveries and bad input included."}),
		Results:         counters("sluice_results_total", "Results published, by status and reason code (empty for accepted and succeeded).", "status", "reason"),
		Requests:        counters("sluice_vendor_requests_total", "Calls to vendors, by the class of their answer.", "vendor", "account", "region", "action", "outcome"),
		RequestDuration: histograms("sluice_vendor_request_duration_seconds", "How long calls to vendors took.", actionLabels...),
		Backlog:         gauges("sluice_lane_backlog", "Commands stored in a lane and not settled, those in work included.", laneLabels...),
		Oldest:          gauges("sluice_lane_oldest_seconds", "Age of the oldest command of a lane that is not settled, 0 when the lane is empty; shown by the replica that owns the account.", laneLabels...),
		InFlight:        gauges("sluice_lane_in_flight", "Commands of a lane that this replica holds.", laneLabels...),
		QuotaLimit:      gauges("sluice_quota_limit", "Calls per second that the limiter allows now; below the configured quota after throttling.", actionLabels...),
		QuotaConfigured: gauges("sluice_quota_configured", "Calls per second that the configuration, or the built-in default, allows; +Inf without a limit.", actionLabels...),
		QuotaWait:       histograms("sluice_quota_wait_seconds", "How long calls waited for their permit.", actionLabels...),
		BreakerState:    gauges("sluice_breaker_state", "State of the endpoint's breaker: 0 closed, 1 half-open, 2 open.", regionLabels...),
		Unauthorized:    gauges("sluice_account_unauthorized", "1 while the endpoint's breaker is open because the vendor refuses the account's credentials, else 0.", regionLabels...),
		LeaseHeld:       gauges("sluice_lease_held", "1 while this replica owns the account, else 0.", "vendor", "account"),
		LeaseChanges:    counters("sluice_lease_changes_total", "Leases taken, returned (handed back by us), lost (held by another replica or gone at the broker) and expired (not renewed in time).", "vendor", "account", "change"),
		Reconciled:      counters("sluice_reconciled_total", "Lost answers that were looked for, by what was found: ran, ran_done, ran_error, not_run, several or unclear. The last two end as indeterminate.", "vendor", "account", "region", "conclusion"),
		LedgerConflicts: prometheus.NewCounter(prometheus.CounterOpts{Name: "sluice_ledger_conflicts_total", Help: "Ledger writes refused because somebody else had changed the record."}),
		LedgerFull:      prometheus.NewCounter(prometheus.CounterOpts{Name: "sluice_ledger_full_total", Help: "Ledger writes refused for lack of space. Nothing is sent without the ledger."}),
		Stage:           histograms("sluice_command_stage_seconds", "Time a command spent in a stage of its life: queued (from the broker to the wait for the quota), paced (waiting for the quota), vendor (the call), tracked (from accepted to the end of the work).", "stage"),
		DeadLetters:     counters("sluice_deadletters_total", "Messages stored as dead letters, by reason.", "reason"),
	}
	m.stages = map[string]prometheus.Observer{}
	for _, stage := range []string{stageQueued, stagePaced, stageVendor, stageTracked} {
		m.stages[stage] = m.Stage.WithLabelValues(stage)
	}
	if reg != nil {
		reg.MustRegister(m.Received, m.Results, m.Requests, m.RequestDuration, m.Backlog, m.Oldest, m.InFlight, m.QuotaLimit,
			m.QuotaConfigured, m.QuotaWait, m.BreakerState, m.Unauthorized, m.LeaseHeld, m.LeaseChanges, m.Reconciled, m.LedgerConflicts, m.LedgerFull, m.Stage, m.DeadLetters)
	}
	return m
}

// meters are the collectors of one action, found once: their labels are many and
// calls are frequent.
type meters struct {
	metrics    *Metrics
	labels     []string
	limit      prometheus.Gauge
	wait, took prometheus.Observer

	mu       sync.Mutex
	requests map[vendors.Kind]prometheus.Counter
}

func (m *Metrics) meters(labels ...string) *meters {
	return &meters{
		metrics: m, labels: labels, limit: m.QuotaLimit.WithLabelValues(labels...),
		wait: m.QuotaWait.WithLabelValues(labels...), took: m.RequestDuration.WithLabelValues(labels...),
		requests: map[vendors.Kind]prometheus.Counter{},
	}
}

// called counts a finished call.
func (m *meters) called(k vendors.Kind, took time.Duration) {
	m.mu.Lock()
	c := m.requests[k]
	if c == nil {
		c = m.metrics.Requests.WithLabelValues(append(slices.Clone(m.labels), k.String())...)
		m.requests[k] = c
	}
	m.mu.Unlock()
	c.Inc()
	m.took.Observe(took.Seconds())
}

// set sets a gauge of a lane.
func (m *Metrics) set(g *prometheus.GaugeVec, l events.Lane, to float64) {
	g.WithLabelValues(l.Vendor, l.Account, l.Region, l.Operation, l.Priority).Set(to)
}

// retire takes away what only the owner of an account can know: it would stand still
// here while the next owner shows what is true.
func (m *Metrics) retire(vendor, account string) {
	for _, g := range []*prometheus.GaugeVec{m.Oldest, m.QuotaLimit, m.QuotaConfigured, m.BreakerState, m.Unauthorized} {
		g.DeletePartialMatch(prometheus.Labels{"vendor": vendor, "account": account})
	}
}

// The stages of a command's life.
const (
	stageQueued  = "queued"
	stagePaced   = "paced"
	stageVendor  = "vendor"
	stageTracked = "tracked"
)

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: seconds}, labels)
}
