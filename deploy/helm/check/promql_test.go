package check

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// query is one PromQL expression and where it stands.
type query struct{ where, text string }

// ruleQueries are those of the alerts.
func ruleQueries(t *testing.T, set string) (queries []query) {
	t.Helper()
	for _, r := range rendered(t, set).rules {
		for _, g := range r.Spec.Groups {
			for _, rule := range g.Rules {
				queries = append(queries, query{set + ": " + rule.Alert, rule.Expr.String()})
			}
		}
	}
	if len(queries) < 7 {
		t.Fatalf("%d rules", len(queries))
	}
	return queries
}

// dashboard is what the checks need of Grafana's format.
type dashboard struct {
	Panels []struct {
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct{ Expr, RefID string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	for _, m := range rendered(t, "production").configMaps {
		if m.Labels["grafana_dashboard"] != "1" {
			continue
		}
		if err := json.Unmarshal([]byte(m.Data["sluice.json"]), &d); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

var (
	// grafanaInterval and grafanaVariable are replaced by Grafana before Prometheus
	// sees the query.
	grafanaInterval = strings.NewReplacer("$__rate_interval", "2m", "$__range", "6h")
	grafanaVariable = regexp.MustCompile(`\$(\w+)`)
	labelValues     = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
)

func dashboardQueries(t *testing.T) (queries []query) {
	t.Helper()
	d := readDashboard(t)
	variables := map[string]bool{}
	for _, v := range d.Templating.List {
		variables[v.Name] = true
		if m := labelValues.FindStringSubmatch(v.Definition); m != nil {
			queries = append(queries, query{"variable " + v.Name, "count by (" + m[2] + ") (" + m[1] + ")"})
		} else if v.Type == "query" {
			t.Errorf("variable %s: %s", v.Name, v.Definition)
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			queries = append(queries, query{"panel " + p.Title, target.Expr})
		}
	}
	for i := range queries {
		text := grafanaInterval.Replace(queries[i].text)
		queries[i].text = grafanaVariable.ReplaceAllStringFunc(text, func(name string) string {
			if !variables[name[1:]] {
				t.Errorf("%s: no variable %s", queries[i].where, name)
			}
			return ".*"
		})
	}
	return queries
}

// targetLabels are those that scraping adds.
var targetLabels = []string{"namespace", "pod", "instance", "job", "cluster"}

// Every query parses, and names metrics and labels that the program has.
func TestQueriesFitTheProgram(t *testing.T) {
	known := knownMetrics(t)
	queries := slices.Concat(ruleQueries(t, "production"), ruleQueries(t, "everything"), dashboardQueries(t))
	for _, q := range queries {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(q.text)
		if err != nil {
			t.Errorf("%s: %v\n%s", q.where, err, q.text)
			continue
		}
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			for _, complaint := range judge(node, known) {
				t.Errorf("%s: %s\n%s", q.where, complaint, q.text)
			}
			return nil
		})
	}
	t.Logf("%d queries", len(queries))
}

// judge complains of metrics and labels that do not exist.
func judge(node parser.Node, known map[string][]string) (complaints []string) {
	switch n := node.(type) {
	case *parser.VectorSelector:
		allowed, ok := known[n.Name]
		if !ok {
			return []string{"no metric " + n.Name}
		}
		for _, m := range n.LabelMatchers {
			if m.Name != labels.MetricName && !slices.Contains(allowed, m.Name) {
				complaints = append(complaints, n.Name+" has no label "+m.Name)
			}
		}
	case *parser.AggregateExpr:
		complaints = missing(n.Grouping, n.Expr, known)
	case *parser.BinaryExpr:
		if n.VectorMatching != nil {
			complaints = append(missing(n.VectorMatching.MatchingLabels, n.LHS, known), missing(n.VectorMatching.MatchingLabels, n.RHS, known)...)
		}
	}
	return complaints
}

// missing are the labels that some metric of the expression lacks.
func missing(names []string, expr parser.Node, known map[string][]string) (complaints []string) {
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if v, ok := node.(*parser.VectorSelector); ok {
			for _, name := range names {
				// A look at who owns the account restricts the other side and gives no labels.
				if v.Name != "sluice_lease_held" && !slices.Contains(known[v.Name], name) {
					complaints = append(complaints, v.Name+" has no label "+name)
				}
			}
		}
		return nil
	})
	return complaints
}

// The judge itself: each of these is wrong.
func TestJudgeOfQueriesRefuses(t *testing.T) {
	known := map[string][]string{"a": {"x"}, "b": {"y"}}
	for _, text := range []string{"c", `a{y="1"}`, "sum by (y) (a)", "a * on (x) b"} {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		var complaints []string
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			complaints = append(complaints, judge(node, known)...)
			return nil
		})
		if len(complaints) == 0 {
			t.Errorf("%s is taken", text)
		}
	}
}

// A dashboard that can be read: titles, descriptions, panels that do not overlap.
func TestDashboardIsWhole(t *testing.T) {
	d := readDashboard(t)
	titles := map[string]int{}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Type == "row" {
			continue
		}
		titles[p.Title]++
		if p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("%s: no description or no query", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s overlaps %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if len(titles) < 20 {
		t.Errorf("%d panels", len(titles))
	}
}
