package check

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestValuesOutsideTheSchemaAreRefused(t *testing.T) {
	for key, value := range map[string]any{
		"replicas":                      2,
		"replicaCount":                  "two",
		"nats.uri":                      "nats://x:4222",
		"nats.url":                      "http://x:4222",
		"nats.auth.existingSecret":      "Not_A_Name",
		"intake.port":                   8081,
		"image.pullPolicy":              "Sometimes",
		"metrics.monitor.kind":          "Monitor",
		"terminationGracePeriodSeconds": 10,
		"config.http":                   values{"listen": "127.0.0.1:1"},
		"config.nats":                   values{"url": "nats://x:4222"},
		"config.log":                    values{"levle": "info"},
		"config.lease":                  values{"ttl": 8},
		"config.accounts":               []any{values{"name": "prod", "vendor": "volcengine", "regions": []any{"r"}, "alow": []any{"restart"}}},
		"secrets.create":                values{"not a name": "x"},
		"extraArgs":                     "--log-level=debug",
	} {
		if _, err := render(t, with(readSet(t, "minimal"), key, value)); err == nil || !strings.Contains(err.Error(), "values don't meet the specifications of the schema") {
			t.Errorf("%s = %v: %v", key, value, err)
		}
	}
}

// What the schema cannot express is refused with the way out.
func TestContradictionsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		set, key string
		value    any
		want     string
	}{
		{"minimal", "nats.url", "", "--set nats.url=nats://nats.nats:4222"},
		{"tryout", "nats.url", "nats://x:4222", "exclude each other"},
		{"production", "nats.auth.tokenKey", "t", "exactly one of"},
		{"minimal", "nats.auth.existingSecret", "s", "it has: none"},
		{"minimal", "nats.auth.nkeySeedKey", "k", "needs nats.auth.existingSecret"},
		{"userpassword", "nats.auth.passwordKey", "", "go together"},
		{"tls", "nats.tls.keyKey", "", "go together"},
		{"intake", "intake.enabled", false, "intake.enabled is false"},
		{"minimal", "intake.ingress.enabled", true, "needs intake.enabled"},
		{"minimal", "preStopSeconds", 15, "at least 20 plus preStopSeconds"},
	} {
		if _, err := render(t, with(readSet(t, tt.set), tt.key, tt.value)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %s = %v: %v", tt.set, tt.key, tt.value, err)
		}
	}
}

// chartOwned are the settings that the chart fills in, and that `config` therefore has
// no room for.
var chartOwned = regexp.MustCompile(`^(nats\.(url|credentialsFile|nkeySeedFile|user|password|token|tls\..*|embedded\..*)|http\..*|secrets\.(dir|xkeySeedFile)|intake\.(listen|tls\..*))$`)

// The schema's `config` has exactly the settings of the program's reference. One that is
// new in the program has to be added to the schema, or to chartOwned.
func TestSchemaKnowsEverySetting(t *testing.T) {
	var want []string
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	for _, m := range row.FindAllStringSubmatch(mustRead(t, "../../../docs/reference/configuration.md"), -1) {
		if !chartOwned.MatchString(m[1]) {
			want = append(want, m[1])
		}
	}
	var root map[string]any
	if err := json.Unmarshal([]byte(mustRead(t, chartDir+"/values.schema.json")), &root); err != nil {
		t.Fatal(err)
	}
	s := schema{defs: root["$defs"].(map[string]any)}
	s.walk("", root["properties"].(map[string]any)["config"].(map[string]any))
	slices.Sort(want)
	slices.Sort(s.settings)
	if len(want) < 40 || !slices.Equal(want, s.settings) {
		t.Errorf("only in the reference: %v\nonly in the schema: %v", without(want, s.settings), without(s.settings, want))
	}
}

func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// schema collects the paths of its leaves as the reference writes them.
type schema struct {
	defs     map[string]any
	settings []string
}

func (s *schema) walk(path string, node map[string]any) {
	if ref, ok := node["$ref"].(string); ok {
		node = s.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	properties, _ := node["properties"].(map[string]any)
	items, _ := node["items"].(map[string]any)
	if ref, ok := items["$ref"].(string); ok {
		items = s.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	switch {
	case properties != nil:
		for name, inner := range maps.All(properties) {
			s.walk(strings.TrimPrefix(path+"."+name, "."), inner.(map[string]any))
		}
	case items["properties"] != nil:
		s.walk(path+"[]", items)
	case node["type"] == "object":
		s.settings = append(s.settings, path+"."+mapKeys[path[strings.LastIndex(path, ".")+1:]])
	default:
		s.settings = append(s.settings, path)
	}
}

// mapKeys is what the reference calls the keys of a map.
var mapKeys = map[string]string{"projects": "<region>", "quotas": "<action>", "match": "<label>"}
