package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/plot"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
)

// crowd is a site with a queue of bulk commands in which urgent ones turn up.
type crowd struct {
	*site
	what  string
	tries int
	rest  time.Duration // the most time between two tries
}

// urgentFirst counts the calls that arrive between the moment a command is stored and
// its own call: of urgent commands at random moments, one after another, and then of
// normal ones.
func urgentFirst(ctx context.Context, b *Bench) ([]report.Row, error) {
	s, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer s.close()
	clear := flushSite("clear", 20)
	clear.instances = 0
	a, err := s.site(clear)
	if err != nil {
		return nil, err
	}
	h, err := s.site(huaweiSite("restart", 2))
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	crowds := []crowd{
		{a, "Tencent flush, 20/s", b.Size(200, 10), 150 * time.Millisecond},
		{h, "Huawei restart, 2/s", b.Size(200, 4), time.Second},
	}
	for _, c := range crowds {
		if err := c.lay(ctx, "bulk", b.Size(10_000, 1_000)); err != nil {
			return nil, err
		}
	}
	if _, err := s.consumers(ctx, 1); err != nil {
		return nil, err
	}
	if err := pause(ctx, b.seconds(5, 3)); err != nil {
		return nil, err
	}
	strain := pace.Watch()
	rows := make([][]report.Row, len(crowds))
	err = each(len(crowds), func(i int) (err error) {
		rows[i], err = crowds[i].try(ctx, b)
		return err
	})
	b.Logf("%s", strain.End())
	return flat(rows), err
}

// try measures urgent commands, then normal ones.
func (c crowd) try(ctx context.Context, b *Bench) ([]report.Row, error) {
	began := time.Now()
	var rows []report.Row
	for _, p := range []struct {
		priority string
		tries    int
	}{{"urgent", c.tries}, {"normal", max(c.tries/4, 2)}} {
		passed, waited, err := c.tryEach(ctx, p.priority, p.tries)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", c.what, err)
		}
		goal := report.AtMost(fmt.Sprintf("%s: calls before one of %d %s commands among bulk, p99", c.what, p.tries, p.priority), emulatorEnd, "calls", 1, report.Percentile(passed, 99))
		goal.Figure = fmt.Sprintf("%.0f (p50 %.0f, most %.0f); waited p50 %.0f ms, most %.0f ms", report.Percentile(passed, 99),
			report.Median(passed), report.Percentile(passed, 100), report.Median(waited), report.Percentile(waited, 100))
		goal.Raw = passed
		rows = append(rows, goal)
	}
	// Without bulk work to pass, the figures would mean nothing.
	if left, err := c.waiting(ctx); err != nil || left < 20 {
		return rows, errors.Join(err, fmt.Errorf("%s: only %d bulk commands were left to be passed", c.what, left))
	}
	name, err := c.plot(b, began)
	rows[0].Plot = name
	return rows, err
}

// tryEach publishes commands one after another at random moments and returns how
// many other calls arrived before each, and how many milliseconds it took; with an
// error, of those before it.
func (c crowd) tryEach(ctx context.Context, priority string, tries int) (passed, waited []float64, err error) {
	chance := rand.New(rand.NewPCG(7, uint64(tries)))
	for i := range tries {
		if err := pause(ctx, time.Duration(chance.Int64N(int64(c.rest)))); err != nil {
			return passed, waited, err
		}
		stored, call, err := c.sendAndSee(ctx, priority, i)
		if err != nil {
			return passed, waited, err
		}
		// The call itself is not among those before it.
		passed = append(passed, float64(len(c.times().Between(stored, call.Time))))
		waited = append(waited, call.Time.Sub(stored).Seconds()*1e3)
	}
	return passed, waited, nil
}

// sendAndSee publishes one command and waits for its call. The time is that before
// the publish: the broker has it no earlier.
func (t *site) sendAndSee(ctx context.Context, priority string, i int) (time.Time, emulator.Call, error) {
	command := t.command(priority, i)
	stored := time.Now()
	if err := t.stage.broker.Send(ctx, t.lane(priority), command); err != nil {
		return stored, emulator.Call{}, err
	}
	var call emulator.Call
	err := rig.Await(ctx, stall, 5*time.Millisecond, "the call of "+command.Token, func() (ok bool) {
		call, ok = t.cloud.About(t.action, command.Instance)
		return ok
	})
	return stored, call, err
}

// plot shows half a minute of calls by priority.
func (c crowd) plot(b *Bench, from time.Time) (string, error) {
	to := from.Add(30 * time.Second)
	calls := c.calls()
	chart := plot.Chart{
		Title: "Urgent commands among 10,000 bulk ones: " + c.what, X: "seconds", Y: "calls in the second before",
		Limits: []plot.Limit{{Name: fmt.Sprintf("quota %.0f/s", c.quota), Y: c.quota}},
	}
	for _, p := range []struct {
		name string
		want func(emulator.Call) bool
	}{{"all", nil}, {"bulk", isFor("bulk")}, {"urgent", isFor("urgent")}} {
		chart.Series = append(chart.Series, plot.Series{Name: p.name, Points: pace.TimesOf(calls, p.want).Trailing(from, to, 100*time.Millisecond)})
	}
	return b.Plot("urgent-"+c.account.Vendor+".svg", chart.SVG())
}
