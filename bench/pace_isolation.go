package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-7b870224/sluice/bench/internal/pace"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
)

// isolation measures one vendor twice in the same seconds: in a consumer that serves
// it alone, and in one that also serves three vendors of which one hangs, one answers
// 500 and one throttles. Commands go to both by turns.
func isolation(ctx context.Context, b *Bench) ([]report.Row, error) {
	var change50, rates, used []float64
	var took [2][]float64
	for round := range b.Rounds {
		r, err := isolationRound(ctx, b)
		b.Rig.StopAll()
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		b.Logf("round %d: alone p50 %.2f ms, p99 %.2f ms, %.2f calls/s; beside three that fail p50 %.2f ms, p99 %.2f ms, %.2f calls/s; %s",
			round+1, r[0].p50, r[0].p99, r[0].rate, r[1].p50, r[1].p99, r[1].rate, r[1].strained)
		change50 = append(change50, percentMore(r[1].p50, r[0].p50))
		for i := range r {
			took[i] = append(took[i], r[i].took...)
		}
		rates = append(rates, percentMore(r[1].rate, r[0].rate))
		used = append(used, r[1].core)
	}
	rate := report.AtLeast("the fourth's rate at 20/s, change", emulatorEnd, "%", -0.5, rates...)
	rate.Goal = "unchanged, within 0.5 %"
	return []report.Row{
		report.Measured("the fourth's latency p50, change", emulatorEnd, "%", change50...),
		// Ten calls of a round decide on its p99: that of all rounds' calls is steadier.
		report.AtMost("the fourth's latency p99 over all rounds, change", emulatorEnd, "%", 10,
			percentMore(report.Percentile(took[1], 99), report.Percentile(took[0], 99))),
		rate,
		report.Measured("processor of the consumer with all four", emulatorEnd, "% of a core", used...),
	}, nil
}

func percentMore(now, before float64) float64 { return 100 * (now/before - 1) }

// undisturbed is what one of the two consumers made of the fourth vendor.
type undisturbed struct {
	took           []float64 // milliseconds, call by call
	p50, p99, rate float64   // of them; calls a second
	core           float64
	strained       string
}

// fourth is the vendor that works: an account whose latency is measured, and one
// with a backlog at its quota.
type fourth struct {
	*stage
	quick, steady *site
	results       *nats.Subscription
}

func isolationRound(ctx context.Context, b *Bench) (out [2]undisturbed, err error) {
	ground, err := newStage(ctx, b)
	if err != nil {
		return out, err
	}
	defer ground.close()
	count, warmUp := b.Size(1000, 100), b.Size(50, 5)
	span := time.Duration(count+warmUp)*100*time.Millisecond + startUp
	var two [2]fourth
	for i, failing := range []bool{false, true} {
		s := ground.beside([]string{"alone", "beside"}[i])
		defer s.closeClouds()
		if two[i], err = newFourth(s); err != nil {
			return out, err
		}
		if failing {
			if err := s.failing(); err != nil {
				return out, err
			}
		}
		if err := s.prepare(ctx); err != nil {
			return out, err
		}
		for _, t := range s.sites {
			if t == two[i].quick {
				continue
			}
			if err := t.lay(ctx, "normal", int(20*span.Seconds())); err != nil {
				return out, err
			}
		}
		two[i].results, err = s.broker.NC.SubscribeSync(two[i].quick.resultSubject())
		if err != nil {
			return out, fmt.Errorf("follow the results: %w", err)
		}
	}
	return measureBoth(ctx, b, two, count, warmUp)
}

func newFourth(s *stage) (f fourth, err error) {
	f.stage = s
	// A flush of this vendor is over with its answer: one result a command.
	o := siteOptions{name: "quick", vendor: "volcengine", operation: "flush", instances: 100}
	if f.quick, err = s.site(o); err != nil {
		return f, err
	}
	o.name, o.quota = "steady", 20
	f.steady, err = s.site(o)
	return f, err
}

// failing adds three vendors that fail, each in its way.
func (s *stage) failing() error {
	for _, v := range []struct {
		vendor, operation string
		fault             emulator.Fault
	}{
		{"tencent", "flush", emulator.Fault{Kind: emulator.FaultHang}},
		{"huawei", "restart", emulator.Fault{Kind: emulator.FaultStatusBefore, Status: 500}},
		{"tencent-crs", "flush", emulator.Fault{Kind: emulator.FaultThrottle}},
	} {
		t, err := s.site(siteOptions{name: "failing", vendor: v.vendor, operation: v.operation, quota: 20, timeout: 3 * time.Second})
		if err != nil {
			return err
		}
		if _, err := t.cloud.SetFault(v.fault); err != nil {
			return err
		}
	}
	return nil
}

func measureBoth(ctx context.Context, b *Bench, two [2]fourth, count, warmUp int) (out [2]undisturbed, err error) {
	var tools [2]*rig.Consumer
	for i := range two {
		started, err := two[i].consumers(ctx, 1)
		if err != nil {
			return out, err
		}
		tools[i] = started[0]
	}
	if err := pause(ctx, b.seconds(3, 1)); err != nil {
		return out, err
	}
	var took [2][]float64
	strain, from := pace.Watch(), time.Now()
	defer strain.End()
	before, err := cpuOf(processes(tools[:]))
	if err != nil {
		return out, err
	}
	for n := range warmUp + count {
		for k := range two {
			// Who goes first alternates: the second has a warmer machine.
			i := (k + n) % 2
			ms, err := two[i].once(ctx, n)
			if err != nil {
				return out, err
			}
			if n >= warmUp {
				took[i] = append(took[i], ms)
			}
			if err := pause(ctx, rest); err != nil {
				return out, err
			}
		}
	}
	to, strained := time.Now(), strain.End()
	after, err := cpuOf(processes(tools[:]))
	if idle := two[1].allFailed(); idle != nil {
		err = errors.Join(err, fmt.Errorf("%w; the consumer's log ends: %s", idle, tools[1].Tail(20)))
	}
	for i := range after {
		steady := two[i].steady.times().Between(from, to)
		if len(steady) < 10 {
			err = errors.Join(err, fmt.Errorf("%s: only %d calls at 20/s in %s", two[i].prefix, len(steady), to.Sub(from)))
		}
		out[i] = undisturbed{took: took[i], p50: report.Percentile(took[i], 50), p99: report.Percentile(took[i], 99), rate: steady.PerSecond(),
			core: 100 * (after[i] - before[i]).Seconds() / to.Sub(from).Seconds(), strained: strained}
	}
	return out, err
}

// once publishes one command and returns the milliseconds until its call arrived.
func (f *fourth) once(ctx context.Context, n int) (float64, error) {
	command := f.quick.command("normal", n)
	began := time.Now()
	if err := f.broker.Send(ctx, f.quick.lane("normal"), command); err != nil {
		return 0, err
	}
	if _, err := f.results.NextMsg(stall); err != nil {
		return 0, fmt.Errorf("no result of %s: %w", command.Token, err)
	}
	calls := f.quick.calls()
	return calls[len(calls)-1].Time.Sub(began).Seconds() * 1e3, nil
}

// allFailed makes sure that the three others were at it.
func (f *fourth) allFailed() (err error) {
	for _, t := range f.sites {
		for _, fault := range t.cloud.Faults() {
			if fault.Applied == 0 {
				err = errors.Join(err, fmt.Errorf("no call of %s has met its fault (%s)", t.account.Vendor, fault.Kind))
			}
		}
	}
	return err
}
