package check

import (
	"strings"
	"testing"
)

func TestReadmeIsUpToDate(t *testing.T) {
	want, err := README([]byte(mustRead(t, chartDir+"/values.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	if mustRead(t, chartDir+"/README.md") != want {
		t.Error("the chart's README is out of date: run 'make chart-docs'")
	}
	if rows := strings.Count(want, "\n| `"); rows < 90 {
		t.Errorf("%d values are documented", rows)
	}
}

func TestEveryValueHasAComment(t *testing.T) {
	for _, values := range []string{"a: 1", "# -- All.\na:\n  # -- One.\n  b: 1\n  c: 2", "# - One.\na: 1", "a: {}"} {
		if text, err := README([]byte(values)); err == nil {
			t.Errorf("%q is taken:\n%s", values, text)
		}
	}
}
