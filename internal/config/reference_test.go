package config_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed-7b870224/sluice/internal/config"
)

func TestReferenceIsComplete(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, field := range config.Reference() {
		paths = append(paths, field.Path)
		if field.Type == "" || !strings.HasSuffix(field.Description, ".") {
			t.Errorf("%s has no full description: %+v", field.Path, field)
		}
		if outside := !strings.ContainsAny(field.Path, "[<"); outside != (field.Env != "") {
			t.Errorf("%s: environment %q", field.Path, field.Env)
		}
	}
	// Every setting of the contract's example is documented.
	data, err := os.ReadFile("testdata/good/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	for _, path := range settings(document.Content[0], "") {
		if !slices.Contains(paths, path) {
			t.Errorf("%s is not in the reference", path)
		}
	}
}

var freeKeys = regexp.MustCompile(`\.(projects|quotas|match)$`)

// settings lists the paths of a file in the form of the reference.
func settings(n *yaml.Node, path string) []string {
	var list []string
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode:
		for _, child := range n.Content {
			list = append(list, settings(child, path+"[]")...)
		}
	case n.Kind == yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if found := freeKeys.FindStringSubmatch(path); found != nil {
				key = map[string]string{"projects": "<region>", "quotas": "<action>", "match": "<label>"}[found[1]]
			}
			list = append(list, settings(n.Content[i+1], strings.TrimPrefix(path+"."+key, "."))...)
		}
	default:
		list = append(list, path)
	}
	return list
}

func TestReferenceOfKnownSettings(t *testing.T) {
	t.Parallel()
	byPath := map[string]config.Field{}
	for _, field := range config.Reference() {
		field.Description = ""
		byPath[field.Path] = field
	}
	for _, want := range []config.Field{
		{Path: "nats.url", Type: "text", Env: "SLUICE_NATS_URL", Flag: "--nats-url"},
		{Path: "nats.credentialsFile", Type: "text", Env: "SLUICE_NATS_CREDENTIALSFILE"},
		{Path: "nats.embedded.sync", Type: "always or duration", Default: "always", Env: "SLUICE_NATS_EMBEDDED_SYNC"},
		{Path: "http.listen", Type: "text", Default: "127.0.0.1:8080", Env: "SLUICE_HTTP_LISTEN", Flag: "--http-listen"},
		{Path: "log.level", Type: "text", Default: "info", Env: "SLUICE_LOG_LEVEL", Flag: "--log-level"},
		{Path: "log.format", Type: "text", Default: "text", Env: "SLUICE_LOG_FORMAT", Flag: "--log-format"},
		{Path: "lease.ttl", Type: "duration", Default: "8s", Env: "SLUICE_LEASE_TTL"},
		{Path: "accounts[].quotas.<action>", Type: "rate"},
		{Path: "accounts[].credentials.secretKey", Type: "secret"},
		{Path: "accounts[].maxInFlight", Type: "whole number", Default: "100"},
		{Path: "intake.publishers[].allow", Type: "list of text"},
		{Path: "intake.alertmanager[].command.priority", Type: "template", Default: "normal"},
	} {
		if got := byPath[want.Path]; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestMarkdownHoldsEverySetting(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := config.WriteReference(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != config.Markdown() {
		t.Error("WriteReference and Markdown differ")
	}
	for _, field := range config.Reference() {
		row := "| `" + field.Path + "` | " + field.Type + " |"
		if strings.Count(out.String(), row) != 1 {
			t.Errorf("no single row %q", row)
		}
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") != 6 {
			t.Errorf("a row with a broken cell: %s", line)
		}
	}
}
