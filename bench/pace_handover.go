package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/plot"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// handOver takes the owner of an account under backlog away, cleanly there and back,
// and then with a kill. The small quotas run side by side.
func handOver(ctx context.Context, b *Bench) (rows []report.Row, err error) {
	for _, quotas := range [][]float64{{5, 20, 100}, {1000}} {
		more, fault := handOverGroup(ctx, b, quotas)
		rows = append(rows, more...)
		err = errors.Join(err, fault)
	}
	return rows, err
}

func handOverGroup(ctx context.Context, b *Bench, quotas []float64) ([]report.Row, error) {
	ground, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer ground.close()
	shows := make([]*relay, len(quotas))
	for i, quota := range quotas {
		s := ground.beside(fmt.Sprintf("n%.0f", quota))
		defer s.closeClouds()
		t, err := s.site(flushSite(s.prefix, quota))
		if err != nil {
			return nil, err
		}
		shows[i] = &relay{b: b, site: t, lap: b.seconds(15, 6)}
		if err := s.layAll(ctx, 5*(shows[i].lap+settled)+startUp+time.Minute); err != nil {
			return nil, err
		}
	}
	strain := pace.Watch()
	err = each(len(shows), func(i int) error { return shows[i].run(ctx) })
	b.Logf("quotas %v: %s", quotas, strain.End())
	if err != nil {
		return nil, err
	}
	var rows []report.Row
	for _, r := range shows {
		more, fault := r.rows()
		rows = append(rows, more...)
		err = errors.Join(err, fault)
	}
	return rows, err
}

// settled is how long an owner has been at work when its lap begins, so that no lap
// has more than one hand-over in it, nor a start at its beginning.
const settled = 3 * time.Second

// relay is one account that is handed from replica to replica.
type relay struct {
	b     *Bench
	site  *site
	lap   time.Duration
	owner *rig.Consumer
	// clean are the moments of SIGTERM, killed that of SIGKILL.
	clean  []time.Time
	killed time.Time
}

func (r *relay) run(ctx context.Context) error {
	owners, err := r.site.stage.consumers(ctx, 1)
	if err != nil {
		return err
	}
	r.owner = owners[0]
	if err := r.owner.WaitLeases(ctx, 1, time.Minute); err != nil {
		return err
	}
	for range 2 {
		at, err := r.pass(ctx, func(c *rig.Consumer) { c.Signal(syscall.SIGTERM) })
		if err != nil {
			return err
		}
		r.clean = append(r.clean, at)
	}
	if r.killed, err = r.pass(ctx, func(c *rig.Consumer) { c.Kill() }); err != nil {
		return err
	}
	return pause(ctx, r.lap)
}

// pass has another replica stand by for most of a lap, takes the owner away, and
// waits until the other owns the account.
func (r *relay) pass(ctx context.Context, end func(*rig.Consumer)) (time.Time, error) {
	if err := pause(ctx, settled); err != nil {
		return time.Time{}, err
	}
	began := time.Now()
	next, err := r.site.stage.consumer()
	if err != nil {
		return began, err
	}
	if err := next.WaitReady(ctx, time.Minute); err != nil {
		return began, err
	}
	if err := pause(ctx, r.lap-time.Since(began)); err != nil {
		return began, err
	}
	at := time.Now()
	end(r.owner)
	r.owner = next
	return at, next.WaitLeases(ctx, 1, time.Minute)
}

// rows say what the vendor saw.
func (r *relay) rows() ([]report.Row, error) {
	times, quota := r.site.times(), r.site.quota
	name := fmt.Sprintf("quota %.0f/s", quota)
	used, gap := 100.0, time.Duration(0)
	for _, at := range r.clean {
		used = min(used, 100*times.Pace(at.Add(-r.lap), at.Add(r.lap), quota)/quota)
		gap = max(gap, times.Gap(at, 3*time.Second))
	}
	row := paceRow(fmt.Sprintf("%s: used within %v of a SIGTERM of the owner, there and back; most in a window also around a kill -9", name, r.lap), quota, r.site.cloud.Most(r.site.action), used, r.site.cloud.Throttled(""))
	lost := times.Gap(r.killed, r.lap)
	clean := report.Measured(name+": longest pause at a clean hand-over", emulatorEnd, "ms", float64(gap.Milliseconds()))
	killed := report.Measured(name+": pause after kill -9 (lease.ttl 8 s)", emulatorEnd, "s", lost.Seconds())
	if after := times.Between(r.killed.Add(lost), time.Now()); len(after) < 2 {
		return nil, fmt.Errorf("%s: the account did not go on after the kill", name)
	}
	plot, err := r.plot(times)
	row.Plot = plot
	return []report.Row{row, clean, killed}, err
}

func (r *relay) plot(times pace.Times) (string, error) {
	from, to := r.clean[0].Add(-r.lap), r.killed.Add(2*r.lap)
	to = earlier(to, times[len(times)-1])
	since := func(t time.Time) float64 { return t.Sub(from).Seconds() }
	quota := r.site.quota
	chart := plot.Chart{
		Title: fmt.Sprintf("Hand-over under backlog: quota %.0f/s, two replicas", quota), X: "seconds", Y: "calls in the second before",
		Series: []plot.Series{{Name: "calls at the vendor", Points: times.Trailing(from, to, 50*time.Millisecond)}},
		Limits: []plot.Limit{{Name: fmt.Sprintf("quota %.0f/s", quota), Y: quota}},
		Marks:  []plot.Mark{{Name: "kill -9 of the owner", X: since(r.killed)}},
	}
	for _, at := range r.clean {
		chart.Marks = append(chart.Marks, plot.Mark{Name: "SIGTERM of the owner", X: since(at)})
	}
	return r.b.Plot(fmt.Sprintf("handover-%.0f.svg", quota), chart.SVG())
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
