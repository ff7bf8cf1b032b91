package report

import (
	"bytes"
	"slices"
	"testing"
)

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		of      []float64
		p, want float64
	}{
		{nil, 50, 0},
		{[]float64{7}, 50, 7},
		{[]float64{7}, 99, 7},
		{[]float64{3, 1, 2}, 50, 2},
		{[]float64{4, 1, 3, 2}, 50, 2.5},
		{hundred, 50, 50.5},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{hundred, 0, 1},
	} {
		if got := Percentile(c.of, c.p); got != c.want {
			t.Errorf("Percentile(%v, %v) = %v, want %v", c.of, c.p, got, c.want)
		}
	}
	if !slices.IsSortedFunc(hundred, func(a, b float64) int { return int(b - a) }) {
		t.Error("Percentile has changed the order of its figures")
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		row  Row
		want Verdict
	}{
		{AtLeast("", "", "", 10, 9, 10, 11), Met},
		{AtLeast("", "", "", 10, 9, 9.9, 11), Missed},
		{AtLeast("", "", "", 0), Missed}, // not measured is not met
		{AtMost("", "", "", 10, 9, 10, 11), Met},
		{AtMost("", "", "", 10, 9, 10.1, 11), Missed},
		{AtMost("", "", "", 10), Missed},
		{Measured("", "", "", 10), None},
	} {
		if c.row.Verdict != c.want {
			t.Errorf("%+v: verdict %q, want %q", c.row, c.row.Verdict, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.004: "0", 0.25: "0.25", 1: "1", 1.5: "1.5", 9.999: "10", 10.04: "10", 12.34: "12.3", 123.4: "123",
		999.6: "1000", 1000: "1,000", 12345.6: "12,346", 1234567: "1,234,567", -1234: "-1,234",
	} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	base := Measured("bare", "stub", "commands/s", 2000)
	rows := []Row{AtLeast("sluice|", "stub", "commands/s", 8000, 8000, 9000, 7000), base.Times(Measured("", "", "", 8000), "sluice")}
	rows[0].Scenario, rows[1].Scenario = "throughput", "throughput"
	var out bytes.Buffer
	if err := Markdown(&out, rows); err != nil {
		t.Fatal(err)
	}
	want := `| scenario | what | vendor end | goal | figure | ratio | |
| --- | --- | --- | --- | --- | --- | --- |
| throughput | sluice\| | stub | ≥ 8,000 commands/s | 8,000 commands/s (7,000 to 9,000) |  | met |
|  | bare | stub |  | 2,000 commands/s | 0.25 × sluice |  |
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
