package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// allHeld lets bulk work use up its maxInFlight with restarts that do not end, and
// then asks for urgent ones.
func allHeld(ctx context.Context, b *Bench) ([]report.Row, error) {
	s, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer s.close()
	const held = 50
	t, err := s.site(siteOptions{name: "held", vendor: "volcengine", operation: "restart", quota: 20, takes: pace.Lasting(time.Hour), maxInFlight: held})
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if err := t.lay(ctx, "bulk", 10*held); err != nil {
		return nil, err
	}
	if _, err := s.consumers(ctx, 1); err != nil {
		return nil, err
	}
	err = rig.Await(ctx, time.Minute, 20*time.Millisecond, "bulk work to use up maxInFlight", func() bool { return len(t.calls()) >= held })
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, b.seconds(3, 1)); err != nil {
		return nil, err
	}
	c := crowd{site: t, rest: 200 * time.Millisecond}
	tries := b.Size(held, 5) // urgent work has a limit of its own
	passed, waited, err := c.tryEach(ctx, "urgent", tries)
	if ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		b.Logf("%v", err)
	}
	const when = " while bulk has used up its maxInFlight"
	row := report.AtMost("calls before an urgent command's"+when+", p99", emulatorEnd, "calls", 1, report.Percentile(passed, 99))
	row.Figure += fmt.Sprintf("; waited p50 %.0f ms, most %.0f ms", report.Median(waited), report.Percentile(waited, 100))
	return []report.Row{
		report.AtLeast("urgent commands that start"+when, emulatorEnd, fmt.Sprintf("of %d", tries), float64(tries), float64(len(passed))), row,
	}, nil
}
