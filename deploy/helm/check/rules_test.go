package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

// rulesOf is what the operator hands to Prometheus for a set.
func rulesOf(t *testing.T, set string) monitoring.PrometheusRuleSpec {
	t.Helper()
	for _, r := range rendered(t, set).rules {
		return r.Spec
	}
	t.Fatalf("%s has no rules", set)
	return monitoring.PrometheusRuleSpec{}
}

func ruleTests(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d rule tests, error %v", len(files), err)
	}
	return files
}

// findPromtool has `go tool` build Prometheus's own tool from its module, or find it in
// the build cache.
var findPromtool = sync.OnceValues(func() (string, error) {
	path, err := exec.Command("go", "tool", "-n", "promtool").Output()
	return strings.TrimSpace(string(path)), err
})

// promtool runs it.
func promtool(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	path, err := findPromtool()
	if err != nil {
		t.Fatalf("build promtool: %v", err)
	}
	cmd := exec.CommandContext(bounded(t), path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// laidOut puts the rules of a set beside the rule tests.
func laidOut(t *testing.T, spec monitoring.PrometheusRuleSpec) (dir string, tests []string) {
	t.Helper()
	dir = t.TempDir()
	text, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"rules.yaml": string(text)}
	for _, file := range ruleTests(t) {
		tests = append(tests, filepath.Base(file))
		files[filepath.Base(file)] = mustRead(t, file)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, tests
}

func TestRules(t *testing.T) {
	dir, tests := laidOut(t, rulesOf(t, "production"))
	if out, err := promtool(t, dir, "check", "rules", "--lint-fatal", "rules.yaml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := promtool(t, dir, append([]string{"test", "rules"}, tests...)...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The tests notice when a rule is wrong: whichever is made to fire never or always
// fails those that are about it.
func TestRuleTestsCanFail(t *testing.T) {
	for _, expr := range []string{"vector(0) > 1", "vector(1)"} {
		for i, rule := range rulesOf(t, "production").Groups[0].Rules {
			spec := rulesOf(t, "production")
			spec.Groups[0].Rules[i].Expr.StrVal = expr
			dir, tests := laidOut(t, spec)
			tests = slices.DeleteFunc(tests, func(file string) bool {
				return !strings.Contains(mustRead(t, filepath.Join(dir, file)), "alertname: "+rule.Alert)
			})
			if out, err := promtool(t, dir, append([]string{"test", "rules"}, tests...)...); err == nil {
				t.Errorf("%s as %s passes\n%s", rule.Alert, expr, out)
			}
		}
	}
}

// Every alert is shown firing and silent.
func TestEveryAlertIsTested(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, file := range ruleTests(t) {
		var f struct {
			Tests []struct {
				Cases []struct {
					Alert string `json:"alertname"`
					Want  []any  `json:"exp_alerts"`
				} `json:"alert_rule_test"`
			} `json:"tests"`
		}
		if err := yaml.Unmarshal([]byte(mustRead(t, file)), &f); err != nil {
			t.Fatal(err)
		}
		for _, test := range f.Tests {
			for _, c := range test.Cases {
				fires[c.Alert] = fires[c.Alert] || len(c.Want) > 0
				silent[c.Alert] = silent[c.Alert] || len(c.Want) == 0
			}
		}
	}
	for _, rule := range rulesOf(t, "production").Groups[0].Rules {
		if !fires[rule.Alert] || !silent[rule.Alert] {
			t.Errorf("%s: shown firing %v, silent %v", rule.Alert, fires[rule.Alert], silent[rule.Alert])
		}
	}
}

// An alert's link leads to a section of the runbook.
func TestRunbookHasTheSections(t *testing.T) {
	var anchors []string
	for _, line := range strings.Split(mustRead(t, "../../../docs/runbook.md"), "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			anchors = append(anchors, anchor(title))
		}
	}
	for _, rule := range rulesOf(t, "production").Groups[0].Rules {
		_, section, _ := strings.Cut(rule.Annotations["runbook_url"], "#")
		if !slices.Contains(anchors, section) {
			t.Errorf("%s: the runbook has no section %q", rule.Alert, section)
		}
	}
}

// anchor is what GitHub makes of a heading.
func anchor(title string) string {
	title = regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(title), "")
	return strings.ReplaceAll(title, " ", "-")
}

// What depends on the values gets into the rules.
func TestRulesFollowTheValues(t *testing.T) {
	text, err := yaml.Marshal(rulesOf(t, "everything"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{cluster="a",namespace="ops"}`, "> 60", "> 1800", "> 0.9", "for: 30m"} {
		if got := strings.Contains(string(text), want); got != (want != "for: 30m") {
			t.Errorf("%q in the rules: %v", want, got)
		}
	}
	if left := regexp.MustCompile(`%\{`).FindAllString(string(text), -1); len(left) > 0 {
		t.Errorf("%d placeholders are left:\n%s", len(left), text)
	}
}
