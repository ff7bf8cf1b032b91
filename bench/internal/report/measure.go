package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Measured is a row without a goal: the median of the rounds and their spread.
func Measured(what, vendorEnd, unit string, rounds ...float64) Row {
	return Row{What: what, VendorEnd: vendorEnd, Figure: Spread(unit, rounds), Raw: rounds, Unit: unit}
}

// AtLeast is a row whose median must not be below the goal.
func AtLeast(what, vendorEnd, unit string, goal float64, rounds ...float64) Row {
	r := Measured(what, vendorEnd, unit, rounds...)
	r.Goal = "≥ " + quantity(goal, unit)
	r.Verdict = verdict(len(rounds) > 0 && Median(rounds) >= goal)
	return r
}

// AtMost is a row whose median must not be above the goal.
func AtMost(what, vendorEnd, unit string, goal float64, rounds ...float64) Row {
	r := Measured(what, vendorEnd, unit, rounds...)
	r.Goal = "≤ " + quantity(goal, unit)
	r.Verdict = verdict(len(rounds) > 0 && Median(rounds) <= goal)
	return r
}

// Times gives the row a ratio to another's median.
func (r Row) Times(other Row, name string) Row {
	if base := Median(other.Raw); base > 0 {
		r.Ratio = fmt.Sprintf("%.2f × %s", Median(r.Raw)/base, name)
	}
	return r
}

func verdict(met bool) Verdict {
	if met {
		return Met
	}
	return Missed
}

// Median is the middle of the figures, 0 without any.
func Median(figures []float64) float64 { return Percentile(figures, 50) }

// Percentile is the nearest-rank percentile of the figures, 0 without any; of an
// even number the median is the mean of the middle two.
func Percentile(figures []float64, p float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(figures))
	if p == 50 && len(s)%2 == 0 {
		return (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	rank := int(float64(len(s))*p/100+0.999999) - 1
	return s[min(max(rank, 0), len(s)-1)]
}

// Spread is the median with the least and the most.
func Spread(unit string, figures []float64) string {
	switch len(figures) {
	case 0:
		return "none"
	case 1:
		return quantity(figures[0], unit)
	}
	return fmt.Sprintf("%s (%s to %s)", quantity(Median(figures), unit), number(slices.Min(figures)), number(slices.Max(figures)))
}

func quantity(v float64, unit string) string {
	if unit == "" {
		return number(v)
	}
	return number(v) + " " + unit
}

// number shows three digits that matter, and thousands whole.
func number(v float64) string {
	switch abs := max(v, -v); {
	case abs >= 1000:
		return thousands(int64(math.Round(v)))
	case abs >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs >= 10:
		return trim(strconv.FormatFloat(v, 'f', 1, 64))
	default:
		return trim(strconv.FormatFloat(v, 'f', 2, 64))
	}
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func trim(s string) string {
	for len(s) > 1 && s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}
