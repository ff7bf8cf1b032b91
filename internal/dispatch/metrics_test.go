package dispatch

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// The contract's metrics exist, and no label can hold a token, an instance or a
// task.
func TestContractMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	NewMetrics(reg)
	descs := make(chan *prometheus.Desc, 100)
	reg.Describe(descs)
	close(descs)
	var all strings.Builder
	for d := range descs {
		all.WriteString(d.String() + "\n")
	}
	for _, name := range []string{
		"sluice_commands_received_total", "sluice_results_total", "sluice_vendor_requests_total", "sluice_vendor_request_duration_seconds",
		"sluice_lane_backlog", "sluice_lane_in_flight", "sluice_quota_limit", "sluice_quota_wait_seconds", "sluice_breaker_state",
		"sluice_lease_held", "sluice_ledger_conflicts_total", "sluice_command_stage_seconds", "sluice_deadletters_total",
	} {
		if !strings.Contains(all.String(), `"`+name+`"`) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, label := range []string{"token", "instance", "task"} {
		if strings.Contains(all.String(), label+",") || strings.Contains(all.String(), label+"}") {
			t.Errorf("a metric has the label %s", label)
		}
	}
}
