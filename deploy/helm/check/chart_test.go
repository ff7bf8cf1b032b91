package check

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

const (
	chartDir  = "../sluice"
	release   = "sluice"
	namespace = "redis-ops"
)

// values is what a user gives to the chart.
type values = map[string]any

// sets are the names of the value sets under testdata/values.
func sets(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d value sets, error %v", len(files), err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	return names
}

func readSet(t *testing.T, name string) values {
	t.Helper()
	v, err := chartutil.ReadValuesFile("testdata/values/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render is what `helm template` does: defaults, the schema, the templates.
func render(t *testing.T, v values) (map[string]string, error) {
	t.Helper()
	return renderAs(t, release, v)
}

func renderAs(t *testing.T, release string, v values) (map[string]string, error) {
	t.Helper()
	c := loadChart(t)
	all, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: release, Namespace: namespace, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	rendered, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for name, text := range rendered {
		files[path.Base(name)] = text
	}
	return files, nil
}

// rendered renders a set, decodes all of it strictly, and fails the test otherwise.
func rendered(t *testing.T, name string) *objects {
	t.Helper()
	return renderedValues(t, readSet(t, name))
}

func renderedValues(t *testing.T, v values) *objects {
	t.Helper()
	files, err := render(t, v)
	if err != nil {
		t.Fatal(err)
	}
	o, err := decodeAll(files)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// manifests are the documents of all templates, in order.
func manifests(files map[string]string) []string {
	var docs []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for _, doc := range strings.Split("\n"+files[name], "\n---") {
			if strings.TrimSpace(doc) != "" {
				docs = append(docs, doc)
			}
		}
	}
	return docs
}

// with returns a copy of values with one path set: "nats.url".
func with(v values, key string, value any) values {
	out := maps.Clone(v)
	if out == nil {
		out = values{}
	}
	head, rest, deeper := strings.Cut(key, ".")
	if !deeper {
		out[head] = value
		return out
	}
	inner, _ := out[head].(map[string]any)
	out[head] = with(inner, rest, value)
	return out
}

func parseYAML[T any](text string) (out T, err error) {
	if err := yaml.UnmarshalStrict([]byte(text), &out); err != nil {
		return out, fmt.Errorf("%w in:\n%s", err, text)
	}
	return out, nil
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
