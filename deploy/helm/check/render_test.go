package check

import (
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

func TestLint(t *testing.T) {
	for _, name := range sets(t) {
		t.Run(name, func(t *testing.T) {
			for _, m := range lint.All(chartDir, readSet(t, name), namespace, true).Messages {
				if m.Severity >= support.WarningSev {
					t.Error(m)
				} else {
					t.Log(m)
				}
			}
		})
	}
}

// Every set renders, and all of it is what Kubernetes and the operators know.
func TestObjectsDecodeStrictly(t *testing.T) {
	for _, name := range sets(t) {
		t.Run(name, func(t *testing.T) {
			o := rendered(t, name)
			if len(o.deployments) != 1 || o.settings() == "" {
				t.Errorf("%d deployments, configuration %q", len(o.deployments), o.settings())
			}
			t.Logf("%d objects", o.count)
		})
	}
}

// The judge itself: what is wrong is found.
func TestStrictDecodingRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"unknown field": "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {portz: []}",
		"wrong case":    "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {Ports: []}",
		"wrong type":    "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: 1}",
		"twice":         "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {}\nspec: {}",
		"unknown kind":  "apiVersion: v1\nkind: Servize\nmetadata: {name: x}",
		"of NACK":       "apiVersion: jetstream.nats.io/v1beta2\nkind: Stream\nmetadata: {name: x}\nspec: {max_age: 1h}",
	} {
		if _, err := decodeAll(map[string]string{"x.yaml": doc}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestFlagsBringTheirObjects(t *testing.T) {
	few, all := rendered(t, "minimal"), rendered(t, "everything")
	if n := few.count; n != 6 { // ConfigMap, Deployment, NetworkPolicy, budget, Service, ServiceAccount
		t.Errorf("the minimal set makes %d objects", n)
	}
	for what, n := range map[string][2]int{
		"rules": {len(few.rules), len(all.rules)}, "monitors": {len(few.monitors), len(all.monitors)},
		"ingresses": {len(few.ingresses), len(all.ingresses)}, "secrets": {len(few.secrets), len(all.secrets)},
		"streams": {len(few.streams), len(all.streams) / 3}, "buckets": {len(few.buckets), len(all.buckets) / 2},
		"pod monitors": {len(few.podMonitors), len(rendered(t, "production").podMonitors)},
		"stateful":     {len(few.statefulSets), len(rendered(t, "tryout").statefulSets)},
		"dashboards":   {len(few.configMaps) - 1, len(all.configMaps) - 1},
	} {
		if n != [2]int{0, 1} {
			t.Errorf("%s: %v, want none and one", what, n)
		}
	}
}

func TestDisabledAlertsAreLeftOut(t *testing.T) {
	names := func(set string) (names []string) {
		for _, r := range rendered(t, set).rules {
			for _, g := range r.Spec.Groups {
				for _, rule := range g.Rules {
					names = append(names, rule.Alert)
				}
			}
		}
		return names
	}
	all, fewer := names("production"), names("everything")
	if len(fewer) != len(all)-1 || strings.Contains(strings.Join(fewer, " "), "SluiceThrottled") {
		t.Errorf("with one disabled %v, else %v", fewer, all)
	}
}

// NOTES name a command that fits the values.
func TestNotesTellTheFirstCommand(t *testing.T) {
	for _, name := range sets(t) {
		files, err := render(t, readSet(t, name))
		if err != nil {
			t.Fatal(err)
		}
		notes := files["NOTES.txt"]
		if !strings.Contains(notes, "consumer send restart INSTANCE --config /etc/sluice/config/sluice.yaml") ||
			strings.Contains(notes, "<no value>") || strings.Contains(notes, "%!") {
			t.Errorf("%s:\n%s", name, notes)
		}
		if warned := strings.Contains(notes, "NOT FOR PRODUCTION"); warned != (name == "tryout") {
			t.Errorf("%s: warned of the bundled NATS: %v", name, warned)
		}
	}
	files, err := render(t, values{"nats": values{"url": "nats://x:4222"}})
	if err != nil || !strings.Contains(files["NOTES.txt"], "No account is configured") {
		t.Errorf("without accounts: %v\n%s", err, files["NOTES.txt"])
	}
}
