// Package plot draws charts over time as SVG: as text, without a font or a script,
// the same bytes for the same figures, and readable on light and dark pages alike.
package plot

// Chart is one picture.
type Chart struct {
	Title string
	// X and Y say what the axes show, with the unit.
	X, Y   string
	Series []Series
	// Limits are dashed lines from left to right, such as a quota.
	Limits []Limit
	// Marks are moments, such as the end of a process.
	Marks []Mark
}

// Series is one line, or with Dots separate points.
type Series struct {
	Name   string
	Dots   bool
	Points []Point
}

// Point is a figure at a moment. A line holds it until the next point.
type Point struct{ X, Y float64 }

// Limit is a figure that is not to be passed, from one moment to another; without
// them, always.
type Limit struct {
	Name     string
	Y        float64
	From, To float64
}

// Mark is a moment at which something happened.
type Mark struct {
	Name string
	X    float64
}

// Size of a chart in pixels, and the room around the figures.
const (
	width, height = 860, 340
	left, right   = 64, 20
	top, bottom   = 74, 48
)

// frame is where figures lie in the picture.
type frame struct{ x, y axis }

// frame finds the extent of the figures. Time begins at the first point; a pace
// begins at zero.
func (c Chart) frame() frame {
	var xs, ys extent
	for _, s := range c.Series {
		for _, p := range s.Points {
			xs.hold(p.X)
			ys.hold(p.Y)
		}
	}
	for _, l := range c.Limits {
		ys.hold(l.Y)
	}
	for _, m := range c.Marks {
		xs.hold(m.X)
	}
	ys.hold(0)
	return frame{
		x: newAxis(xs.least, xs.most, left, width-right),
		y: newAxis(ys.least, ys.most*headroom, height-bottom, top),
	}
}

// headroom keeps the highest figure off the upper edge.
const headroom = 1.08

// extent is the least and the most of some figures.
type extent struct {
	least, most float64
	some        bool
}

func (e *extent) hold(v float64) {
	if !e.some {
		e.least, e.most, e.some = v, v, true
	}
	e.least, e.most = min(e.least, v), max(e.most, v)
}
