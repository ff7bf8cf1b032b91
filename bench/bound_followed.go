package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// The goals with 5,000 operations being followed.
const (
	followedMemory = 200
	followedCores  = 10
)

// followedRest is how long the polls take to slow down to their interval.
const followedRest = 15 * time.Second

// boundFollowed lets restarts be accepted that never end, and watches how they
// are followed.
func boundFollowed(ctx context.Context, b *Bench) (rows []report.Row, err error) {
	sizes := b.sizes([]int{50, 500, 5_000}, []int{20, 200})
	first := map[string]report.Row{}
	for i, size := range sizes {
		var memory, cores, polls []float64
		for round := range b.few() {
			f, err := follow(ctx, b, size, round)
			if err != nil {
				return rows, fmt.Errorf("%d followed: %w", size, err)
			}
			b.Logf("%d followed: %.0f MiB, %.1f %% of a core, %.1f polls/s", size, f.memory, f.cores*100, f.polls)
			memory, cores, polls = append(memory, f.memory), append(cores, f.cores*100), append(polls, f.polls)
		}
		what := fmt.Sprintf("%d followed: ", size)
		these := []report.Row{
			report.Measured(what+"memory", "stub", "MiB", memory...),
			report.Measured(what+"processor", "stub", "% of a core", cores...),
			report.Measured(what+"polls", "stub", "calls/s", polls...),
		}
		if i == len(sizes)-1 {
			these[0] = report.AtMost(these[0].What, "stub", "MiB", followedMemory, memory...)
			these[1] = report.AtMost(these[1].What, "stub", "% of a core", followedCores, cores...)
		}
		for _, r := range these {
			if i == 0 {
				first[r.Unit] = r
			} else {
				r = r.Times(first[r.Unit], fmt.Sprintf("that of %d", sizes[0]))
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// following is what it takes to follow work.
type following struct {
	use
	polls float64 // calls a second
}

func follow(ctx context.Context, b *Bench, size, round int) (f following, err error) {
	nats, stub, broker, err := ground(ctx, b, rig.SyncDefault, size)
	if err != nil {
		return f, err
	}
	defer broker.Close()
	account := benchAccount(stub.URL)
	account.Allow, account.MaxInFlight = []string{"restart"}, 2*size
	// Polls keep the vendor's own quota.
	account.Quotas = map[string]string{"RestartDBInstance": "100000/s", "DescribeDBInstanceDetail": "100000/s"}
	c, err := b.Rig.StartConsumer(fmt.Sprintf("followed-%d-%d", size, round), rig.Config{NATS: nats.URL, Accounts: []rig.Account{account}})
	if err != nil {
		return f, err
	}
	lane := benchLane
	lane.Operation = "restart"
	err = broker.Lay(ctx, lane, size, func(i int) load.Command {
		return load.Command{ID: fmt.Sprintf("e%d", i), Token: fmt.Sprintf("t%d", i), Instance: fmt.Sprintf("redis-%d", i)}
	})
	if err != nil {
		return f, err
	}
	err = rig.Await(ctx, 2*time.Minute, 50*time.Millisecond, fmt.Sprintf("%d accepted results", size), func() bool {
		state, err := broker.State(ctx, load.Results(benchPrefix))
		return err == nil && state.Msgs >= uint64(size)
	}, c.Process)
	if err != nil {
		return f, err
	}
	select {
	case <-time.After(min(followedRest, b.span())):
	case <-ctx.Done():
		return f, context.Cause(ctx)
	}
	if err := stub.Reset(ctx); err != nil {
		return f, err
	}
	began := time.Now()
	if f.use, err = watch(ctx, c.Process, b.span()); err != nil {
		return f, err
	}
	counts, err := stub.Counts(ctx)
	if err != nil {
		return f, err
	}
	f.polls = float64(counts["DescribeDBInstances"]+counts["DescribeDBInstanceDetail"]) / time.Since(began).Seconds()
	if counts["RestartDBInstance"] > 0 || f.polls == 0 && !b.Quick {
		return f, fmt.Errorf("the work is not being followed; calls: %v", counts)
	}
	if err := c.Stop(); err != nil {
		return f, err
	}
	stub.Kill()
	return f, nats.Stop()
}
