package plot

import (
	"fmt"
	"html"
	"strings"
)

// palette holds colours that stand out from white and from black.
var palette = [...]string{"#2f81f7", "#d9822b", "#2da44e", "#a371f7", "#e5534b", "#768390"}

// style brings its own background, since the colours of the page around an image
// are not known to it.
const style = `<style>
text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.small{font-size:11px;fill:#59636e}
.ground{fill:#fff;stroke:#d1d9e0}.grid{stroke:#d1d9e0;stroke-width:.6}.mark{stroke:#59636e;stroke-width:1;stroke-dasharray:2 3}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.limit{stroke:#cf222e;stroke-width:1.4;stroke-dasharray:7 4}.limitname{fill:#cf222e}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}
.grid{stroke:#3d444d}.mark{stroke:#9198a1}.limit{stroke:#ff7b72}.limitname{fill:#ff7b72}}
</style>
`

// SVG draws the chart.
func (c Chart) SVG() []byte {
	var b strings.Builder
	f := c.frame()
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(c.Title))
	b.WriteString(style)
	fmt.Fprintf(&b, `<rect class="ground" x=".5" y=".5" width="%d" height="%d" rx="6"/>`+"\n", width-1, height-1)
	text(&b, left, 26, "title", "", c.Title)
	c.axes(&b, f)
	c.legend(&b)
	c.marks(&b, f)
	for i, s := range c.Series {
		s.draw(&b, f, colour(i))
	}
	c.limits(&b, f)
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func colour(i int) string { return palette[i%len(palette)] }

// text writes words; attributes are added as they are.
func text(b *strings.Builder, x, y float64, class, attributes, words string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" class="%s"%s>%s</text>`+"\n", x, y, class, attributes, html.EscapeString(words))
}

const (
	middle = ` text-anchor="middle"`
	end    = ` text-anchor="end"`
)

func line(b *strings.Builder, class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

// axes draws the grid with its figures, and what they are.
func (c Chart) axes(b *strings.Builder, f frame) {
	for _, v := range f.y.ticks(5) {
		y := f.y.at(v)
		line(b, "grid", left, y, width-right, y)
		text(b, left-8, y+4, "small", end, label(v))
	}
	for _, v := range f.x.ticks(10) {
		x := f.x.at(v)
		line(b, "grid", x, height-bottom, x, height-bottom+4)
		text(b, x, height-bottom+17, "small", middle, label(v))
	}
	text(b, (left+width-right)/2, height-10, "small", middle, c.X)
	text(b, 0, 0, "small", middle+fmt.Sprintf(` transform="translate(16 %d) rotate(-90)"`, (top+height-bottom)/2), c.Y)
}

// legend names the series in a row above the figures.
func (c Chart) legend(b *strings.Builder) {
	const letter, gap = 6.6, 40 // pixels, roughly
	x := float64(left)
	for i, s := range c.Series {
		fmt.Fprintf(b, `<rect x="%.1f" y="40" width="14" height="4" rx="2" fill="%s"/>`+"\n", x, colour(i))
		text(b, x+20, 46, "small", "", s.Name)
		x += gap + letter*float64(len([]rune(s.Name)))
	}
}

// marks draws moments, their names by turns at two heights.
func (c Chart) marks(b *strings.Builder, f frame) {
	for i, m := range c.Marks {
		x := f.x.at(m.X)
		line(b, "mark", x, top, x, height-bottom)
		words := middle
		switch {
		case x < left+60:
			words = ""
		case x > width-right-60:
			words = end
		}
		text(b, x, float64(top-3-11*(i%2)), "small", words, m.Name)
	}
}

func (c Chart) limits(b *strings.Builder, f frame) {
	for _, l := range c.Limits {
		from, to := f.x.at(l.From), f.x.at(l.To)
		if l.To <= l.From {
			from, to = left, width-right
		}
		y := f.y.at(l.Y)
		line(b, "limit", from, y, to, y)
		text(b, to-4, y-5, "small limitname", end, l.Name)
	}
}

// draw draws one series.
func (s Series) draw(b *strings.Builder, f frame, colour string) {
	if len(s.Points) == 0 {
		return
	}
	if s.Dots {
		for _, p := range s.Points {
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="2.4" fill="%s"/>`+"\n", f.x.at(p.X), f.y.at(p.Y), colour)
		}
		return
	}
	fmt.Fprintf(b, `<path class="line" stroke="%s" d="%s"/>`+"\n", colour, s.path(f))
}

// path is the series as steps. Points that change nothing are left out.
func (s Series) path(f frame) string {
	var b strings.Builder
	first := s.Points[0]
	fmt.Fprintf(&b, "M%.1f %.1f", f.x.at(first.X), f.y.at(first.Y))
	last := first.Y
	for _, p := range s.Points[1:] {
		if p.Y != last {
			fmt.Fprintf(&b, "H%.1fV%.1f", f.x.at(p.X), f.y.at(p.Y))
			last = p.Y
		}
	}
	fmt.Fprintf(&b, "H%.1f", f.x.at(s.Points[len(s.Points)-1].X))
	return b.String()
}
