package telemetry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// described takes apart what a descriptor prints; the library offers no other way
// to ask it.
var described = regexp.MustCompile(`fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)", .*variableLabels: \{([^}]*)\}`)

// Markdown is the reference of the registry's sluice_ metrics.
func Markdown(registry *prometheus.Registry) (string, error) {
	descs := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(descs)
		close(descs)
	}()
	var rows []string
	for d := range descs {
		m := described.FindStringSubmatch(d.String())
		if m == nil {
			return "", fmt.Errorf("metric descriptor in an unknown form: %s", d)
		}
		if strings.HasPrefix(m[1], "sluice_") {
			rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", m[1], strings.ReplaceAll(m[3], ",", ", "), m[2]))
		}
	}
	slices.Sort(rows)
	return "# Metrics\n\nGenerated from code; do not edit. Labels are bounded by the configuration: never a token, an instance or a task.\nBesides these, `/metrics` has the Go runtime's and the process's own.\n\n| metric | labels | meaning |\n| --- | --- | --- |\n" +
		strings.Join(rows, "\n") + "\n", nil
}
