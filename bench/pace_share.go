package main

import (
	"context"
	"fmt"

	"github.com/seed-7b870224/sluice/bench/internal/report"
)

// alwaysUrgent has more urgent work waiting than the quota lets through, and bulk
// work behind it.
func alwaysUrgent(ctx context.Context, b *Bench) ([]report.Row, error) {
	s, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer s.close()
	t, err := s.site(flushSite("share", 20))
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	span := b.seconds(40, 8)
	for _, priority := range []string{"bulk", "urgent"} {
		if err := t.lay(ctx, priority, int(20*(span+startUp).Seconds())); err != nil {
			return nil, err
		}
	}
	if _, err := s.consumers(ctx, 1); err != nil {
		return nil, err
	}
	if err := pause(ctx, span); err != nil {
		return nil, err
	}
	calls := t.calls()
	if len(calls) < 30 {
		return nil, fmt.Errorf("only %d calls in %s", len(calls), span)
	}
	calls = calls[10:] // both lanes are at work
	bulk := isFor("bulk")
	fewest, all := 10, 0
	for i := range calls {
		if bulk(calls[i]) {
			all++
		}
		if i+10 > len(calls) {
			continue
		}
		n := 0
		for _, c := range calls[i : i+10] {
			if bulk(c) {
				n++
			}
		}
		fewest = min(fewest, n)
	}
	row := report.AtLeast("bulk among any ten calls under constant urgent load", emulatorEnd, "calls", 1, float64(fewest))
	row.Figure += fmt.Sprintf("; %.1f %% of all", 100*float64(all)/float64(len(calls)))
	return []report.Row{row}, nil
}
