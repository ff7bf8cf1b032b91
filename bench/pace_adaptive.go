package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/plot"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// adaptive lowers what the vendor allows in the middle of the work and lifts it
// again. All cases run side by side, each with an account of its own.
func adaptive(ctx context.Context, b *Bench) ([]report.Row, error) {
	s, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var cases []*squeeze
	for _, c := range []struct{ quota, real float64 }{{100, 30}, {100, 60}, {100, 5}, {20, 6}, {20, 1}} {
		t, err := s.site(flushSite(fmt.Sprintf("n%.0f-%.0f", c.quota, c.real), c.quota))
		if err != nil {
			return nil, err
		}
		cases = append(cases, &squeeze{site: t, real: c.real})
	}
	before, during, after := b.seconds(10, 4), b.seconds(40, 8), b.seconds(45, 32)
	if err := s.layAll(ctx, before+during+after+startUp); err != nil {
		return nil, err
	}
	replicas, err := s.consumers(ctx, 1)
	if err != nil {
		return nil, err
	}
	watch, strain := watchLimits(ctx, replicas[0], cases), pace.Watch()
	defer watch()
	defer strain.End()
	for _, step := range []struct {
		d  time.Duration
		do func(*squeeze) error
	}{{before, (*squeeze).lower}, {during, (*squeeze).lift}, {after, func(*squeeze) error { return nil }}} {
		if err := pause(ctx, step.d); err != nil {
			return nil, err
		}
		for _, c := range cases {
			err = errors.Join(err, step.do(c))
		}
		if err != nil {
			return nil, err
		}
	}
	watch()
	b.Logf("%s", strain.End())
	if err := replicas[0].Stop(); err != nil {
		return nil, err
	}
	var rows []report.Row
	for _, c := range cases {
		more, fault := c.rows(ctx)
		name, drawn := c.plot(b)
		for i := range more[:min(1, len(more))] {
			more[i].Plot = name
		}
		rows = append(rows, more...)
		err = errors.Join(err, fault, drawn)
	}
	return rows, err
}

// squeeze is an account whose vendor allows less than is configured for a while.
type squeeze struct {
	*site
	real            float64
	lowered, lifted time.Time

	mu     sync.Mutex
	limits []sample
}

// sample is sluice_quota_limit at a moment.
type sample struct {
	at    time.Time
	limit float64
}

func (c *squeeze) lower() error {
	c.lowered = time.Now()
	return c.cloud.Allow(map[string]float64{c.action: c.real})
}

func (c *squeeze) lift() error {
	c.lifted = time.Now()
	return c.cloud.Allow(map[string]float64{c.action: c.quota})
}

// watchLimits follows the metric until stopped, which may be done more than once.
func watchLimits(ctx context.Context, consumer *rig.Consumer, cases []*squeeze) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, 200*time.Millisecond) == nil {
			m, err := consumer.Metrics(ctx)
			if err != nil {
				continue
			}
			for _, c := range cases {
				c.mu.Lock()
				c.limits = append(c.limits, sample{time.Now(), m.Sum("sluice_quota_limit", `account="`+c.account.Name+`"`, `action="`+c.action+`"`)})
				c.mu.Unlock()
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// rows say how fast the account followed the vendor down and up.
func (c *squeeze) rows(ctx context.Context) ([]report.Row, error) {
	times := c.times()
	name := fmt.Sprintf("%.0f/s configured, %.0f/s allowed", c.quota, c.real)
	calm := times.Calm(c.lowered.Add(time.Millisecond), time.Second, max(1, int(c.real))).Sub(c.lowered)
	middle := times.Between(c.lowered.Add(2*time.Second), c.lifted)
	refused := pace.TimesOf(c.calls(), throttledCall).Between(c.lowered.Add(2*time.Second), c.lifted)
	offered := report.Measured(name+": offered from 2 s on", emulatorEnd, "% of the real limit", 100*middle.PerSecond()/c.real)
	offered.Figure += fmt.Sprintf("; %.1f throttle answers a minute", float64(len(refused))/c.lifted.Sub(c.lowered.Add(2*time.Second)).Minutes())
	full := c.recovered(name, times)
	learned := c.learned()
	metric := report.Measured(name+": sluice_quota_limit at the end of it", emulatorEnd, "calls/s", learned)
	unanswered, err := c.unanswered(ctx)
	return []report.Row{
		report.AtMost(name+": offered load under the real limit", emulatorEnd, "s", 2, calm.Seconds()),
		offered, full, metric,
		report.AtMost(name+": commands failed or lost", emulatorEnd, "commands", 0, float64(unanswered)),
	}, err
}

// recovered says when the pace was again what it was before the vendor allowed less.
func (c *squeeze) recovered(name string, times pace.Times) report.Row {
	const span = 3 * time.Second
	what := name + ": full pace after the limit is lifted"
	before := times.Pace(c.lowered.Add(-2*span), c.lowered, c.quota)
	row := report.AtMost(what, emulatorEnd, "s", 30)
	if at, ok := times.First(c.lifted, span, int(0.97*before*span.Seconds())); ok {
		row = report.AtMost(what, emulatorEnd, "s", 30, at.Sub(c.lifted).Seconds())
	}
	row.Figure += fmt.Sprintf(" (back at %.1f/s)", before)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.limits {
		if s.at.After(c.lifted) && s.limit >= 0.999*c.quota {
			row.Figure += fmt.Sprintf("; sluice_quota_limit after %.1f s", s.at.Sub(c.lifted).Seconds())
			break
		}
	}
	return row
}

// learned is the metric as the limit was lifted.
func (c *squeeze) learned() (limit float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.limits {
		if s.at.Before(c.lifted) {
			limit = s.limit
		}
	}
	return limit
}

// unanswered counts the commands that ended otherwise than well, and those that are
// neither answered nor waiting. The consumer has stopped.
func (c *squeeze) unanswered(ctx context.Context) (int, error) {
	results, err := c.results(ctx)
	if err != nil {
		return 0, err
	}
	left, err := c.waiting(ctx)
	if err != nil {
		return 0, err
	}
	return others(results) + max(0, c.laid-results["succeeded"]-left), nil
}

func (c *squeeze) plot(b *Bench) (string, error) {
	calls := c.calls()
	from, to := c.lowered.Add(-8*time.Second), calls[len(calls)-1].Time
	since := func(t time.Time) float64 { return t.Sub(from).Seconds() }
	limit := plot.Series{Name: "sluice_quota_limit"}
	for _, s := range c.limits {
		if s.at.After(from) && s.at.Before(to) {
			limit.Points = append(limit.Points, plot.Point{X: since(s.at), Y: s.limit})
		}
	}
	chart := plot.Chart{
		Title: fmt.Sprintf("%.0f/s configured, the vendor allows %.0f/s for a while", c.quota, c.real), X: "seconds", Y: "calls in the second before",
		Series: []plot.Series{
			{Name: "calls at the vendor", Points: pace.TimesOf(calls, nil).Trailing(from, to, 100*time.Millisecond)},
			{Name: "of them throttled", Points: pace.TimesOf(calls, throttledCall).Trailing(from, to, 100*time.Millisecond)},
			limit,
		},
		Limits: []plot.Limit{
			{Name: "", Y: c.quota, From: 0, To: since(c.lowered)},
			{Name: fmt.Sprintf("allowed %.0f/s", c.real), Y: c.real, From: since(c.lowered), To: since(c.lifted)},
			{Name: fmt.Sprintf("allowed %.0f/s", c.quota), Y: c.quota, From: since(c.lifted), To: since(to)},
		},
	}
	return b.Plot(fmt.Sprintf("adaptive-%.0f-%.0f.svg", c.quota, c.real), chart.SVG())
}
