package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Markdown writes the rows as one table.
func Markdown(w io.Writer, rows []Row) error {
	var b strings.Builder
	b.WriteString("| scenario | what | vendor end | goal | figure | ratio | |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	last := ""
	for _, r := range rows {
		scenario := r.Scenario
		if scenario == last {
			scenario = ""
		}
		last = r.Scenario
		cells := []string{scenario, r.What, r.VendorEnd, r.Goal, r.Figure, r.Ratio, string(r.Verdict)}
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Line is the row as a line of text.
func (r Row) Line() string {
	parts := []string{r.What + ": " + r.Figure}
	if r.Goal != "" {
		parts = append(parts, "goal "+r.Goal)
	}
	if r.Ratio != "" {
		parts = append(parts, r.Ratio)
	}
	if r.Verdict != None {
		parts = append(parts, string(r.Verdict))
	}
	if r.VendorEnd != "" {
		parts = append(parts, "vendor end: "+r.VendorEnd)
	}
	return strings.Join(parts, "; ")
}

// Raw writes everything as JSON.
func Raw(w io.Writer, rows []Row) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(rows); err != nil {
		return fmt.Errorf("write raw figures: %w", err)
	}
	return nil
}
