package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"github.com/seed-7b870224/sluice/internal/events"
)

// isTerminal reports whether a stream is a terminal that a person looks at.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colorOn reports whether to colour: on a terminal, unless NO_COLOR is set
// (no-color.org) or the terminal cannot.
func colorOn(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// statusColors are by what a person has to do: nothing, wait, look.
var statusColors = map[string]string{
	events.Succeeded: "\x1b[32m", events.Accepted: "\x1b[36m",
	events.Failed: "\x1b[31m", events.Indeterminate: "\x1b[1;31m",
	events.Rejected: "\x1b[33m", events.Expired: "\x1b[33m", events.Cancelled: "\x1b[33m",
}

// statusColor is the status in its colour; any other word stays as it is.
func statusColor(status string, on bool) string {
	if code := statusColors[status]; on && code != "" {
		return code + status + "\x1b[0m"
	}
	return status
}

// printable replaces control characters: what vendors and publishers wrote must
// not steer the terminal of whoever reads it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// table aligns columns. The zero table has no header.
type table struct {
	header []string
	rows   [][]string
}

// row appends a line.
func (t *table) row(cells ...string) {
	clean := make([]string, len(cells))
	for i, c := range cells {
		clean[i] = printable(c)
	}
	t.rows = append(t.rows, clean)
}

// print writes the table; cells that are a status get its colour.
func (t *table) print(w io.Writer, color bool) {
	lines := t.rows
	if len(t.header) > 0 {
		lines = append([][]string{t.header}, t.rows...)
	}
	widths := columns(lines)
	for _, line := range lines {
		var b strings.Builder
		gap := 0
		for i, cell := range line {
			if cell != "" {
				b.WriteString(strings.Repeat(" ", gap))
				b.WriteString(statusColor(cell, color))
				gap = 0
			}
			gap += widths[i] - cellWidth(cell) + 2
		}
		fmt.Fprintln(w, b.String())
	}
}

// columns is the width of each column.
func columns(lines [][]string) []int {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cellWidth(cell))
		}
	}
	return widths
}

// cellWidth counts the terminal columns of a text: wide East Asian characters
// take two, combining marks none.
func cellWidth(s string) int {
	n := 0
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.Is(unicode.Mn, r):
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// progress is one line on standard error that is overwritten in place. It stays
// silent where nobody could see it move.
type progress struct {
	w     io.Writer
	on    bool
	shown bool
}

// newProgress shows only on a terminal.
func newProgress(w io.Writer) *progress { return &progress{w: w, on: isTerminal(w)} }

// show replaces the line.
func (p *progress) show(format string, args ...any) {
	if p.on {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
		p.shown = true
	}
}

// clear removes the line, before something else is printed.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
