package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// latencyGoal is how many times the bare program's latency Sluice's may be.
const latencyGoal = 1.4

// latency measures from before the publish to the arrival of the mutation: one
// command at a time, by turns to Sluice and to the bare program, which run side by
// side, one of them idle.
func latency(ctx context.Context, b *Bench) ([]report.Row, error) {
	var p50, p99 [2][]float64
	var ratio50, ratio99 []float64
	var failed error
	for round := range b.Rounds {
		took, err := latencyRound(ctx, b, round)
		if err != nil {
			failed = fmt.Errorf("round %d: %w", round+1, err)
			break
		}
		for i := range took {
			p50[i] = append(p50[i], report.Percentile(took[i], 50))
			p99[i] = append(p99[i], report.Percentile(took[i], 99))
		}
		ratio50 = append(ratio50, p50[0][round]/p50[1][round])
		ratio99 = append(ratio99, p99[0][round]/p99[1][round])
		b.Logf("round %d: p50 %.2f ms, bare %.2f ms; p99 %.2f ms, bare %.2f ms", round+1, p50[0][round], p50[1][round], p99[0][round], p99[1][round])
	}
	return []report.Row{
		report.Measured("sluice, its look-up included: p50", "stub", "ms", p50[0]...),
		report.Measured("bare, synchronous publishes: p50", "stub", "ms", p50[1]...),
		report.AtMost("p50, sluice to bare", "stub", "times", latencyGoal, ratio50...),
		report.Measured("sluice, its look-up included: p99", "stub", "ms", p99[0]...),
		report.Measured("bare, synchronous publishes: p99", "stub", "ms", p99[1]...),
		report.AtMost("p99, sluice to bare", "stub", "times", latencyGoal, ratio99...),
	}, failed
}

// runner is one of those whose latency is measured.
type runner struct {
	lane    load.Lane
	name    string // of its instances
	results *nats.Subscription
}

// latencyRound returns what sluice and the bare program took, in milliseconds.
func latencyRound(ctx context.Context, b *Bench, round int) (took [2][]float64, err error) {
	count, warmUp := b.Size(300, 30), 20
	nats, stub, broker, err := ground(ctx, b, rig.SyncDefault, 0)
	if err != nil {
		return took, err
	}
	defer broker.Close()
	const barePrefix = "bare"
	if err := broker.Prepare(ctx, barePrefix, load.Account{Vendor: benchLane.Vendor, Name: benchLane.Account}); err != nil {
		return took, err
	}
	tool, err := b.Rig.StartConsumer(fmt.Sprintf("latency-%d", round), rig.Config{NATS: nats.URL, Accounts: []rig.Account{benchAccount(stub.URL)}})
	if err != nil {
		return took, err
	}
	bare, err := b.Rig.StartRival(ctx, "bare", nats.URL, stub.URL, barePrefix, 32)
	if err != nil {
		return took, err
	}
	if err := tool.WaitLeases(ctx, 1, stall); err != nil {
		return took, err
	}
	runners := [2]runner{{lane: benchLane, name: "s"}, {lane: benchLane, name: "b"}}
	runners[1].lane.Prefix = barePrefix
	for i := range runners {
		r := &runners[i]
		r.lane.Priority = "normal"
		if r.results, err = broker.NC.SubscribeSync(r.lane.Prefix + ".results.>"); err != nil {
			return took, fmt.Errorf("follow the results: %w", err)
		}
	}
	sent := map[string]time.Time{}
	for i := range warmUp + count {
		for _, r := range runners {
			instance := fmt.Sprintf("%s-redis-%d", r.name, i)
			if sent[instance], err = r.once(ctx, broker, instance); err != nil {
				return took, err
			}
		}
	}
	arrivals, err := stub.Arrivals(ctx, "FlushDBInstance")
	if err != nil {
		return took, err
	}
	for i, r := range runners {
		took[i] = times(arrivals, sent, r.name, warmUp)
		if len(took[i]) != count {
			return took, fmt.Errorf("%d of %d mutations of %s arrived", len(took[i]), count, r.lane.Prefix)
		}
	}
	bare.Kill()
	return took, firstOf(tool.Stop(), nats.Stop())
}

// rest is how long everything is left alone between two commands.
const rest = 5 * time.Millisecond

// once publishes one command, waits for its result, and returns when it began.
func (r runner) once(ctx context.Context, broker *load.Broker, instance string) (time.Time, error) {
	began := time.Now()
	if err := broker.Send(ctx, r.lane, load.Command{ID: "e-" + instance, Token: "t-" + instance, Instance: instance}); err != nil {
		return began, err
	}
	if _, err := r.results.NextMsg(stall); err != nil {
		return began, fmt.Errorf("no result of %s for %s: %w", r.lane.Prefix, instance, err)
	}
	time.Sleep(rest)
	return began, ctx.Err()
}

// times are the milliseconds from the publish to the arrival, but for those that
// were to warm up.
func times(arrivals []rig.Arrival, sent map[string]time.Time, name string, warmUp int) []float64 {
	var out []float64
	for _, a := range arrivals {
		var n int
		if _, err := fmt.Sscanf(a.Instance, name+"-redis-%d", &n); err == nil && n >= warmUp {
			out = append(out, a.At.Sub(sent[a.Instance]).Seconds()*1e3)
		}
	}
	return out
}
