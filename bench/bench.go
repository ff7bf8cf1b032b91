package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// Scenario is one thing that is measured.
type Scenario struct {
	Name, Title string
	// Run returns what it measured also when it fails on the way.
	Run func(ctx context.Context, b *Bench) ([]report.Row, error)
}

// scenarios lists everything, in the order in which it is run.
func scenarios() []Scenario {
	return slices.Concat(speedScenarios(), boundScenarios(), paceScenarios())
}

// Bench is what scenarios work with.
type Bench struct {
	// Rounds of each measurement.
	Rounds int
	// Quick asks for small sizes: the figures do not count.
	Quick bool
	// Alone leaves the rivals of the speed scenarios out.
	Alone bool
	// Plots is the directory for plots, empty for none.
	Plots string
	// Rig runs the processes.
	Rig *rig.Rig

	scenario string
}

// Logf prints a line of progress.
func (b *Bench) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s %-12s %s\n", time.Now().Format("15:04:05"), b.scenario, fmt.Sprintf(format, args...))
}

// Size is full, or small when the bench itself is being checked.
func (b *Bench) Size(full, small int) int {
	if b.Quick {
		return small
	}
	return full
}

// Plot writes one plot and returns its name for the row, empty without a
// directory for plots.
func (b *Bench) Plot(name string, svg []byte) (string, error) {
	if b.Plots == "" {
		return "", nil
	}
	if err := os.MkdirAll(b.Plots, 0o755); err != nil {
		return "", fmt.Errorf("write plot %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(b.Plots, name), svg, 0o644); err != nil {
		return "", fmt.Errorf("write plot %s: %w", name, err)
	}
	return name, nil
}

func writeFile(path string, rows []report.Row, form func(io.Writer, []report.Row) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := form(file, rows); err != nil {
		_ = file.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return file.Close()
}
