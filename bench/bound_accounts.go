package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// The goals with 200 accounts.
const (
	accountsReady  = 10
	accountsMemory = 300
	accountsCores  = 5
)

// accountRegions are the regions of each account.
var accountRegions = []string{"cn-beijing", "cn-shanghai", "cn-guangzhou"}

// idling is what it takes to serve accounts for which nothing is to be done.
type idling struct {
	use
	ready, leases float64 // seconds from the start
	server        float64 // cores that the NATS server takes
	first         float64 // milliseconds until the first command of a lane was answered
}

// boundAccounts starts consumers with more and more accounts and leaves them idle.
func boundAccounts(ctx context.Context, b *Bench) (rows []report.Row, err error) {
	sizes := b.sizes([]int{2, 20, 200}, []int{2, 20})
	var first []report.Row
	for i, size := range sizes {
		var ready, leases, memory, cores, server, answer []float64
		for round := range b.few() {
			s, err := idle(ctx, b, size, round)
			if err != nil {
				return rows, fmt.Errorf("%d accounts: %w", size, err)
			}
			b.Logf("%d accounts: ready in %.2f s, all leases in %.2f s; %.0f MiB, %.1f %% of a core, the server %.1f %%; first answer in %.1f ms",
				size, s.ready, s.leases, s.memory, s.cores*100, s.server*100, s.first)
			ready, leases, answer = append(ready, s.ready), append(leases, s.leases), append(answer, s.first)
			memory, cores, server = append(memory, s.memory), append(cores, s.cores*100), append(server, s.server*100)
		}
		what := fmt.Sprintf("%d accounts of 3 regions: ", size)
		these := []report.Row{
			report.Measured(what+"ready", "none called", "s", ready...),
			report.Measured(what+"all leases held", "none called", "s", leases...),
			report.Measured(what+"memory", "none called", "MiB", memory...),
			report.Measured(what+"processor", "none called", "% of a core", cores...),
			report.Measured(what+"processor of the NATS server", "none called", "% of a core", server...),
			report.Measured(what+"answer to the first command of a lane", "none called", "ms", answer...),
		}
		if i == len(sizes)-1 {
			these[0] = report.AtMost(these[0].What, "none called", "s", accountsReady, ready...)
			these[1] = report.AtMost(these[1].What, "none called", "s", accountsReady, leases...)
			these[2] = report.AtMost(these[2].What, "none called", "MiB", accountsMemory, memory...)
			these[3] = report.AtMost(these[3].What, "none called", "% of a core", accountsCores, cores...)
		}
		if i == 0 {
			first = these
		}
		for n, r := range these {
			if i > 0 {
				r = r.Times(first[n], fmt.Sprintf("that of %d", sizes[0]))
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func idle(ctx context.Context, b *Bench, size, round int) (s idling, err error) {
	nats, err := b.Rig.StartNATS(ctx, rig.SyncDefault)
	if err != nil {
		return s, err
	}
	var accounts []rig.Account
	for i := range size {
		accounts = append(accounts, rig.Account{
			Name: fmt.Sprintf("account-%d", i), Vendor: "volcengine", Regions: accountRegions, Endpoint: "http://127.0.0.1:1",
		})
	}
	c, err := b.Rig.StartConsumer(fmt.Sprintf("accounts-%d-%d", size, round), rig.Config{NATS: nats.URL, Accounts: accounts})
	if err != nil {
		return s, err
	}
	if err := c.WaitReady(ctx, time.Minute); err != nil {
		return s, err
	}
	s.ready = time.Since(c.Started).Seconds()
	if err := c.WaitLeases(ctx, size, 2*time.Minute); err != nil {
		return s, err
	}
	s.leases = time.Since(c.Started).Seconds()
	// Lanes that hold commands are opened only now; here there are none.
	select {
	case <-time.After(min(10*time.Second, b.span())):
	case <-ctx.Done():
		return s, context.Cause(ctx)
	}
	before, err := nats.CPU()
	if err != nil {
		return s, err
	}
	began := time.Now()
	if s.use, err = watch(ctx, c.Process, b.span()); err != nil {
		return s, err
	}
	after, err := nats.CPU()
	if err != nil {
		return s, err
	}
	s.server = (after - before).Seconds() / time.Since(began).Seconds()
	if s.first, err = firstAnswer(ctx, nats, accounts[size-1]); err != nil {
		return s, err
	}
	return s, firstOf(c.Stop(), nats.Stop())
}

// firstAnswer sends a command to a lane that has had none, and returns how many
// milliseconds its answer takes. The command is one that is refused without a
// call: its token is not ASCII.
func firstAnswer(ctx context.Context, nats *rig.NATS, account rig.Account) (float64, error) {
	broker, err := load.Connect(nats.URL)
	if err != nil {
		return 0, err
	}
	defer broker.Close()
	results, err := broker.NC.SubscribeSync(benchPrefix + ".results.>")
	if err != nil {
		return 0, fmt.Errorf("follow the results: %w", err)
	}
	lane := benchLane
	lane.Account, lane.Operation, lane.Priority = account.Name, "restart", "normal"
	began := time.Now()
	if err := broker.Send(ctx, lane, load.Command{ID: "e", Token: "é", Instance: "redis-0"}); err != nil {
		return 0, err
	}
	if _, err := results.NextMsg(stall); err != nil {
		return 0, fmt.Errorf("no answer of an idle lane: %w", err)
	}
	return time.Since(began).Seconds() * 1e3, nil
}
