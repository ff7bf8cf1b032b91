package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/plot"
	"github.com/seed-7b870224/sluice/bench/internal/report"
)

// exactPace lays a backlog for every quota and counts what arrives. Small quotas run
// side by side: together they are hardly any load.
func exactPace(ctx context.Context, b *Bench) (rows []report.Row, err error) {
	for _, replicas := range []int{1, 2, 5} {
		for _, g := range []struct {
			quotas  []float64
			seconds time.Duration
		}{
			{[]float64{1, 5, 20}, b.seconds(60, 6)},
			{[]float64{100}, b.seconds(20, 4)},
			{[]float64{1000}, b.seconds(20, 3)},
		} {
			more, err := paceGroup(ctx, b, replicas, g.seconds, g.quotas...)
			rows = append(rows, more...)
			if err != nil {
				return rows, fmt.Errorf("%d replicas, quotas %v: %w", replicas, g.quotas, err)
			}
		}
	}
	return rows, nil
}

// cell is one quota with a number of replicas: an account for each replica, so that
// they share them. At a thousand calls a second it is one account, and the other
// replicas stand by: more than that is beyond two cores.
type cell struct {
	quota float64
	sites []*site
}

func paceGroup(ctx context.Context, b *Bench, replicas int, span time.Duration, quotas ...float64) ([]report.Row, error) {
	s, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var cells []cell
	for _, quota := range quotas {
		c := cell{quota: quota}
		for i := range replicas {
			if i > 0 && quota >= many {
				break
			}
			t, err := s.site(flushSite(fmt.Sprintf("n%.0f-%d", quota, i), quota))
			if err != nil {
				return nil, err
			}
			c.sites = append(c.sites, t)
		}
		cells = append(cells, c)
	}
	if err := s.layAll(ctx, span+startUp); err != nil {
		return nil, err
	}
	if _, err := s.consumers(ctx, replicas); err != nil {
		return nil, err
	}
	if err := pause(ctx, b.seconds(3, 2)); err != nil {
		return nil, err
	}
	from, strain := time.Now(), pace.Watch()
	defer strain.End()
	if err := pause(ctx, span); err != nil {
		return nil, err
	}
	to, strained := time.Now(), strain.End()
	b.Logf("%d replicas, quotas %v: %s", replicas, quotas, strained)
	var rows []report.Row
	for _, c := range cells {
		row, fault := c.row(ctx, replicas, from, to)
		if err = errors.Join(err, fault); fault != nil {
			continue
		}
		row.Figure += "; " + strained
		if c.quota == 100 {
			row.Plot, fault = c.plot(b, replicas, from)
			err = errors.Join(err, fault)
		}
		rows = append(rows, row)
	}
	return rows, err
}

// startUp is how long consumers may work before a measurement begins.
const startUp = 15 * time.Second

// flushSite is a Tencent account with a quota for ClearInstance. A thousand calls a
// second are Volcengine's FlushDBInstance: it needs fewer look-ups, of which the
// emulated cloud and the consumer make up more than two cores otherwise.
func flushSite(name string, quota float64) siteOptions {
	o := siteOptions{
		name: name, vendor: "tencent", operation: "flush", quota: quota, takes: pace.AtOnce,
		maxInFlight: max(100, int(4*quota)), instances: max(100, int(3*quota)),
	}
	if quota >= many {
		o.vendor = "volcengine"
	}
	return o
}

// many calls a second are as much as two cores carry with one account.
const many = 1000

// layAll makes the streams and stores work for some time for every site.
func (s *stage) layAll(ctx context.Context, d time.Duration) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for _, t := range s.sites {
		if err := t.lay(ctx, "bulk", int(t.quota*d.Seconds()*1.05)+20); err != nil {
			return err
		}
	}
	return nil
}

// row says how the worst account of the cell kept the quota and used it.
func (c cell) row(ctx context.Context, replicas int, from, to time.Time) (report.Row, error) {
	most, used, throttled := 0, 100.0, 0
	for _, t := range c.sites {
		left, err := t.waiting(ctx)
		if err == nil && left == 0 {
			err = errors.New("the backlog was too small")
		}
		if err != nil {
			return report.Row{}, fmt.Errorf("account %s: %w", t.account.Name, err)
		}
		most = max(most, t.cloud.Most(t.action))
		used = min(used, 100*t.times().Pace(from, to, t.quota)/t.quota)
		throttled += t.cloud.Throttled("")
	}
	return paceRow(fmt.Sprintf("quota %.0f/s, %s", c.quota, owners(len(c.sites), replicas)), c.quota, most, used, throttled), nil
}

func owners(accounts, replicas int) string {
	switch {
	case replicas == 1:
		return "1 replica"
	case accounts == 1:
		return fmt.Sprintf("1 account, %d replicas", replicas)
	}
	return fmt.Sprintf("%d replicas with an account each", replicas)
}

// paceRow is the promise about one quota: never more, hardly less, never refused.
func paceRow(what string, quota float64, most int, used float64, throttled int) report.Row {
	row := report.Row{
		What: what, VendorEnd: emulatorEnd, Goal: fmt.Sprintf("≤ %.0f, ≥ %d %%, 0 throttled", quota, leastUsed),
		Figure:  fmt.Sprintf("most %d in a sliding second; %.1f %% used; %d throttled", most, used, throttled),
		Verdict: report.Met, Raw: []float64{float64(most), used, float64(throttled)},
		Unit: "calls in a sliding second, % used, throttle answers",
	}
	if float64(most) > quota || used < leastUsed || throttled > 0 {
		row.Verdict = report.Missed
	}
	return row
}

const (
	// leastUsed is the share of the quota that is used under backlog, in percent.
	leastUsed = 97
	// emulatorEnd is the vendor's end of all scenarios of pace.
	emulatorEnd = "emulator, strict quota"
)

func (c cell) plot(b *Bench, replicas int, from time.Time) (string, error) {
	chart := plot.Chart{
		Title: fmt.Sprintf("Calls at the vendor: quota %.0f/s, %s, backlog", c.quota, owners(len(c.sites), replicas)),
		X:     "seconds", Y: "calls in the second before",
		Limits: []plot.Limit{{Name: fmt.Sprintf("quota %.0f/s", c.quota), Y: c.quota}},
	}
	start := time.Now()
	for _, t := range c.sites {
		if all := t.times(); len(all) > 0 && all[0].Before(start) {
			start = all[0]
		}
	}
	for _, t := range c.sites {
		chart.Series = append(chart.Series, plot.Series{Name: "account " + t.account.Name, Points: t.times().Trailing(start, time.Now(), 100*time.Millisecond)})
	}
	return b.Plot(fmt.Sprintf("pace-%.0f-%d.svg", c.quota, replicas), chart.SVG())
}
