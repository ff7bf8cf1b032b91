package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// pages are the most rows that one look-up of each vendor shows, and pollEvery is the
// program's pause between two polls of one operation, once it has grown.
var pages = map[string]int{"volcengine": 100, "huawei": 1000, "tencent": 100}

const pollEvery = 5.0

// fewest is how many look-ups a second it takes to see n operations once a pause.
func fewest(vendor string, n int) float64 {
	return math.Ceil(float64(n)/float64(pages[vendor])) / pollEvery
}

// polls counts look-ups a second by the number of operations that are followed.
func polls(ctx context.Context, b *Bench) (rows []report.Row, err error) {
	sizes := []int{50, 500, 5000}
	if b.Quick {
		sizes = []int{5, 50, 200}
	}
	for _, v := range []struct{ vendor, operation string }{{"volcengine", "restart"}, {"huawei", "restart"}, {"tencent", "flush"}} {
		more, fault := pollsOf(ctx, b, v.vendor, v.operation, sizes)
		rows = append(rows, more...)
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", v.vendor, fault))
		}
	}
	return rows, err
}

// pollsOf follows several numbers side by side, each in an account of its own. The
// interval of polls is the program's own, and no quota holds them back.
func pollsOf(ctx context.Context, b *Bench, vendor, operation string, sizes []int) ([]report.Row, error) {
	s, err := newStage(ctx, b)
	if err != nil {
		return nil, err
	}
	defer s.close()
	for _, n := range sizes {
		_, err := s.site(siteOptions{
			name: fmt.Sprintf("n%d", n), vendor: vendor, operation: operation, takes: pace.Lasting(time.Hour), maxInFlight: 2 * n,
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	for i, t := range s.sites {
		// Not bulk: how the work came about does not matter here.
		if err := t.lay(ctx, "normal", sizes[i]); err != nil {
			return nil, err
		}
	}
	replicas, err := s.consumers(ctx, 1)
	if err != nil {
		return nil, err
	}
	if err := s.allAccepted(ctx, sizes); err != nil {
		return nil, err
	}
	// The pauses between polls grow for a while.
	if err := pause(ctx, b.seconds(20, 8)); err != nil {
		return nil, err
	}
	return countPolls(ctx, b, s, replicas[0], sizes)
}

// allAccepted waits until every operation is followed.
func (s *stage) allAccepted(ctx context.Context, sizes []int) error {
	for i, t := range s.sites {
		var failed error
		var results map[string]int
		err := rig.Await(ctx, 3*time.Minute, 200*time.Millisecond, fmt.Sprintf("%d accepted operations", sizes[i]), func() bool {
			results, failed = t.results(ctx)
			return failed != nil || results["accepted"] >= sizes[i] || others(results) > 0
		})
		if err = errors.Join(err, failed); err == nil && results["accepted"] < sizes[i] {
			err = fmt.Errorf("not all of %d operations were accepted: %v", sizes[i], results)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func countPolls(ctx context.Context, b *Bench, s *stage, consumer *rig.Consumer, sizes []int) ([]report.Row, error) {
	before := make([]map[string]int, len(sizes))
	for i, t := range s.sites {
		before[i] = t.cloud.Totals()
	}
	cpu, err := consumer.CPU()
	if err != nil {
		return nil, err
	}
	span := b.seconds(30, 6)
	began := time.Now()
	if err := pause(ctx, span); err != nil {
		return nil, err
	}
	took := time.Since(began).Seconds()
	used, err := consumer.CPU()
	if err != nil {
		return nil, err
	}
	var rows []report.Row
	for i, t := range s.sites {
		all, detail := 0, ""
		for _, action := range looks[t.account.Vendor] {
			if n := t.cloud.Totals()[action] - before[i][action]; n > 0 {
				all += n
				detail += fmt.Sprintf("; %s %.2f", action, float64(n)/took)
			}
		}
		// A tenth more for where the span begins and ends.
		row := report.AtMost(fmt.Sprintf("%s: look-ups with %d followed", t.account.Vendor, sizes[i]), emulatorEnd, "a second",
			1.1*fewest(t.account.Vendor, sizes[i]), float64(all)/took)
		row.Figure += detail
		if i > 0 {
			row = row.Times(rows[0], fmt.Sprintf("%d followed", sizes[0]))
		}
		rows = append(rows, row)
	}
	core := report.Measured(s.sites[0].account.Vendor+": processor of the consumer that follows all", emulatorEnd, "% of a core", 100*(used-cpu).Seconds()/took)
	return append(rows, core), nil
}
