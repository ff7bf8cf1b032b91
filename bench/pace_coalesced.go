package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/plot"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
)

// coalesced restarts a fleet at Huawei with one call a second, and five look-ups a
// second of each kind.
func coalesced(ctx context.Context, b *Bench) ([]report.Row, error) {
	s, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer s.close()
	count := b.Size(2_000, 200)
	t, err := s.site(huaweiSite("fleet", 1))
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if err := t.lay(ctx, "bulk", count); err != nil {
		return nil, err
	}
	if _, err := s.consumers(ctx, 1); err != nil {
		return nil, err
	}
	// One instance a call is where coalescing has failed, and enough is seen of it.
	limit := min(time.Duration(count/10)*time.Second, b.seconds(150, 40))
	var results map[string]int
	var failed error
	err = rig.Await(ctx, limit, 200*time.Millisecond, "the end of the fleet", func() bool {
		results, failed = t.results(ctx)
		return failed != nil || results["succeeded"]+others(results) >= count
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		b.Logf("%v: %v of %d", err, results, count)
	}
	return t.coalescedRows(b, count, results)
}

func (t *site) coalescedRows(b *Bench, count int, results map[string]int) ([]report.Row, error) {
	calls := t.calls()
	if len(calls) == 0 {
		return nil, fmt.Errorf("no call of %s has arrived", t.action)
	}
	moved := 0
	for _, c := range calls {
		if c.Outcome == "ok" {
			moved += len(c.Instances)
		}
	}
	took := calls[len(calls)-1].Time.Sub(calls[0].Time).Seconds() + 1/t.quota
	rows := []report.Row{
		report.AtLeast("Huawei restart at 1 call/s: instances moved", emulatorEnd, "a second", 45, float64(moved)/took),
		report.AtMost("Huawei restart: most calls in a sliding second", emulatorEnd, "calls", 1, float64(t.cloud.Most(t.action))),
	}
	for _, action := range looks["huawei"] {
		row := report.AtMost("its "+action+": most calls in a sliding second", emulatorEnd, "calls", 5, float64(t.cloud.Most(action)))
		row.Figure += fmt.Sprintf("; %.1f a second on average", pace.TimesOf(t.cloud.Of(action), nil).PerSecond())
		rows = append(rows, row)
	}
	rows = append(rows,
		report.AtMost("throttle answers, all actions", emulatorEnd, "answers", 0, float64(t.cloud.Throttled(""))),
		report.AtLeast("commands that succeeded", emulatorEnd, fmt.Sprintf("of %d", count), float64(count), float64(results["succeeded"])),
	)
	name, err := t.coalescedPlot(b, calls)
	rows[0].Plot = name
	return rows, err
}

// coalescedPlot shows the instances of each call.
func (t *site) coalescedPlot(b *Bench, calls []emulator.Call) (string, error) {
	dots := plot.Series{Name: "instances in a call", Dots: true}
	for _, c := range calls {
		dots.Points = append(dots.Points, plot.Point{X: c.Time.Sub(calls[0].Time).Seconds(), Y: float64(len(c.Instances))})
	}
	chart := plot.Chart{
		Title: "Huawei restart, bulk, at one call a second", X: "seconds", Y: "instances", Series: []plot.Series{dots},
		Limits: []plot.Limit{{Name: "50 in a call", Y: 50}},
	}
	return b.Plot("coalesced.svg", chart.SVG())
}

// huaweiSite restarts with real look-up quotas; a restart takes a while.
func huaweiSite(name string, quota float64) siteOptions {
	return siteOptions{
		name: name, vendor: "huawei", operation: "restart", quota: quota, takes: pace.Lasting(2 * time.Second),
		lookups: map[string]float64{"ShowInstance": 5, "ListInstances": 5}, maxInFlight: 1000,
	}
}
