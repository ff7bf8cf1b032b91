package main

import (
	"context"
	"fmt"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// backlogGoal is the memory of a consumer with a million commands waiting.
const backlogGoal = 120

// fleet is how many instances the waiting commands are for.
const fleet = 10_000

// boundBacklog lays a backlog and lets consumers, one after the other, work on it
// at the vendor's own pace.
func boundBacklog(ctx context.Context, b *Bench) (rows []report.Row, err error) {
	sizes := b.sizes([]int{10_000, 100_000, 1_000_000}, []int{1_000, 10_000})
	for i, size := range sizes {
		memory, err := backlogMemory(ctx, b, size)
		what := fmt.Sprintf("memory with %d waiting, 20 calls/s", size)
		row := report.Measured(what, "stub", "MiB", memory...)
		if i == len(sizes)-1 {
			row = report.AtMost(what, "stub", "MiB", backlogGoal, memory...)
		}
		if i > 0 {
			row = row.Times(rows[0], fmt.Sprintf("that of %d", sizes[0]))
		}
		rows = append(rows, row)
		if err != nil {
			return rows, fmt.Errorf("%d waiting: %w", size, err)
		}
	}
	return rows, nil
}

func backlogMemory(ctx context.Context, b *Bench, size int) (memory []float64, err error) {
	nats, stub, broker, err := ground(ctx, b, rig.SyncDefault, fleet)
	if err != nil {
		return nil, err
	}
	defer broker.Close()
	b.Logf("laying %d commands", size)
	err = broker.Lay(ctx, benchLane, size, func(i int) load.Command {
		return load.Command{ID: fmt.Sprintf("e%d", i), Token: fmt.Sprintf("t%d", i), Instance: fmt.Sprintf("redis-%d", i%fleet)}
	})
	if err != nil {
		return nil, err
	}
	account := benchAccount(stub.URL)
	account.Quotas, account.MaxInFlight = nil, 0
	for round := range b.few() {
		c, err := b.Rig.StartConsumer(fmt.Sprintf("backlog-%d-%d", size, round), rig.Config{NATS: nats.URL, Accounts: []rig.Account{account}})
		if err != nil {
			return memory, err
		}
		if err := c.WaitLeases(ctx, 1, stall); err != nil {
			return memory, err
		}
		used, err := watch(ctx, c.Process, b.span())
		if err != nil {
			return memory, err
		}
		if err := c.Stop(); err != nil {
			return memory, err
		}
		memory = append(memory, used.memory)
		b.Logf("%d waiting: %.0f MiB, %.1f %% of a core", size, used.memory, used.cores*100)
	}
	if counts, err := stub.Counts(ctx); err != nil || counts["FlushDBInstance"] == 0 {
		return memory, firstOf(err, fmt.Errorf("no mutation has arrived: %v", counts))
	}
	stub.Kill()
	return memory, nats.Stop()
}
