package plot

import (
	"math"
	"strconv"
)

// axis maps figures to pixels.
type axis struct {
	least, most float64
	from, to    float64 // pixels of least and most
}

// newAxis makes an axis of some length, whatever the figures.
func newAxis(least, most, from, to float64) axis {
	if !(most > least) {
		most = least + 1
	}
	return axis{least, most, from, to}
}

// at is the pixel of a figure; what lies outside lands on the edge.
func (a axis) at(v float64) float64 {
	v = min(max(v, a.least), a.most)
	return a.from + (v-a.least)/(a.most-a.least)*(a.to-a.from)
}

// ticks are round figures on the axis, about as many as asked for.
func (a axis) ticks(about int) []float64 {
	step := roundStep((a.most - a.least) / float64(about))
	var out []float64
	// Counting steps, not adding them up, keeps 0.1 and 0.3 exact.
	for n := math.Ceil(a.least / step); n*step <= a.most+step/1e6; n++ {
		out = append(out, n*step)
	}
	return out
}

// roundStep is the least of 1, 2 and 5 times a power of ten that is no smaller.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range [...]float64{1, 2, 5} {
		if n*power >= v*(1-1e-9) {
			return n * power
		}
	}
	return 10 * power
}

// label writes a tick.
func label(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}
