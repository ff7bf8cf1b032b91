package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, tc := range []struct {
		name        string
		least, most float64
		about       int
		want        string
	}{
		{"whole", 0, 10, 5, "0 2 4 6 8 10"},
		{"hundreds", 0, 1080, 5, "0 500 1000"},
		{"fractions stay exact", 0, 0.5, 5, "0 0.1 0.2 0.3 0.4 0.5"},
		{"not from zero", 3, 17, 5, "5 10 15"},
		{"a minute", 0, 60, 10, "0 10 20 30 40 50 60"},
		{"no length", 4, 4, 5, "4 4.2 4.4 4.6 4.8 5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, v := range newAxis(tc.least, tc.most, 0, 100).ticks(tc.about) {
				got = append(got, label(v))
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("ticks of %v to %v: got %s, want %s", tc.least, tc.most, s, tc.want)
			}
		})
	}
}

func TestAxisHoldsWhatLiesOutside(t *testing.T) {
	a := newAxis(0, 10, 100, 200)
	for v, want := range map[float64]float64{-5: 100, 0: 100, 5: 150, 10: 200, 50: 200} {
		if got := a.at(v); got != want {
			t.Errorf("%v is at %v, want %v", v, got, want)
		}
	}
}

func TestPath(t *testing.T) {
	f := frame{x: newAxis(0, 10, 0, 100), y: newAxis(0, 10, 100, 0)}
	for _, tc := range []struct {
		name   string
		points []Point
		want   string
	}{
		{"one point", []Point{{1, 1}}, "M10.0 90.0H10.0"},
		{"a figure holds until the next", []Point{{0, 2}, {5, 4}, {10, 4}}, "M0.0 80.0H50.0V60.0H100.0"},
		{"what changes nothing is left out", []Point{{0, 2}, {1, 2}, {2, 2}, {3, 0}}, "M0.0 80.0H30.0V100.0H30.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := (Series{Points: tc.points}).path(f); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// charts are of every kind.
var charts = map[string]Chart{
	"empty": {Title: "Nothing"},
	"full": {
		Title: "Calls <at> the vendor's & ours", X: "seconds", Y: "calls in the second before",
		Series: []Series{
			{Name: "urgent", Points: []Point{{0, 0}, {1, 20}, {2, 19}}},
			{Name: "bulk", Dots: true, Points: []Point{{0.5, 3}}},
		},
		Limits: []Limit{{Name: "quota 20/s", Y: 20}, {Name: "lowered", Y: 6, From: 1, To: 2}},
		Marks:  []Mark{{Name: "SIGTERM", X: 1}, {Name: "kill -9", X: 2}},
	},
	"one moment": {Title: "One", Series: []Series{{Name: "a", Points: []Point{{3, 3}}}}},
}

func TestDrawingsAreXML(t *testing.T) {
	for name, c := range charts {
		t.Run(name, func(t *testing.T) {
			svg := c.SVG()
			d := xml.NewDecoder(bytes.NewReader(svg))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("not well-formed: %v in\n%s", err, svg)
				}
			}
			if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
				t.Errorf("a figure has no place:\n%s", svg)
			}
		})
	}
}

func TestDrawingsRepeat(t *testing.T) {
	for name, c := range charts {
		if !bytes.Equal(c.SVG(), c.SVG()) {
			t.Errorf("%s: two drawings of the same figures differ", name)
		}
	}
}

func TestDrawingShowsEverything(t *testing.T) {
	svg := string(charts["full"].SVG())
	for _, want := range []string{
		"Calls &lt;at&gt; the vendor&#39;s &amp; ours", ">urgent<", ">bulk<", ">quota 20/s<", ">lowered<", ">SIGTERM<", ">kill -9<",
		">seconds<", ">calls in the second before<", "prefers-color-scheme:dark", `class="limit"`, "<circle",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
}

func TestLimitSpansItsTime(t *testing.T) {
	lines := strings.Split(string(charts["full"].SVG()), "\n")
	var got []string
	for _, l := range lines {
		if strings.Contains(l, `class="limit"`) {
			got = append(got, l)
		}
	}
	want := []string{
		`<line class="limit" x1="64.0" y1="90.1" x2="840.0" y2="90.1"/>`,
		`<line class="limit" x1="452.0" y1="231.4" x2="840.0" y2="231.4"/>`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
