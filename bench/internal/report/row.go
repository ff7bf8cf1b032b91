// Package report is what the bench says: rows of goal, figure and ratio, as a
// Markdown table, as lines of text and as raw figures.
package report

// Verdict is what a figure says of its goal.
type Verdict string

// The verdicts.
const (
	// Met and Missed compare the figure with its goal.
	Met    Verdict = "met"
	Missed Verdict = "MISSED"
	// None is a figure without a goal, for comparison.
	None Verdict = ""
)

// Row is one line of the table.
type Row struct {
	// Scenario is filled in by the bench.
	Scenario string `json:"scenario"`
	// What was measured, of whom.
	What string `json:"what"`
	// VendorEnd is what stood in for the vendor: stub or emulator.
	VendorEnd string `json:"vendorEnd,omitempty"`
	// Goal in words, empty without one.
	Goal string `json:"goal,omitempty"`
	// Figure in words: the median, and the spread of the rounds.
	Figure string `json:"figure"`
	// Ratio to a rival or to a smaller case, empty without one.
	Ratio   string  `json:"ratio,omitempty"`
	Verdict Verdict `json:"verdict,omitempty"`
	// Plot names a file that shows the same.
	Plot string `json:"plot,omitempty"`
	// Raw are the figures of the rounds, in Unit.
	Raw  []float64 `json:"raw,omitempty"`
	Unit string    `json:"unit,omitempty"`
}
