package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// contender is one program that works through the backlog.
type contender struct {
	name     string
	profiled bool
	// start runs it against a server with the backlog and a vendor's end.
	start func(ctx context.Context, b *Bench, label string, nats *rig.NATS, stub *rig.Stub) (*rig.Process, error)
}

// contenders lists Sluice and the rivals. With so many workers each rival was at
// its best; half as many made no difference that could be told from the noise.
func contenders() []contender {
	return []contender{
		{"sluice", true, startSluice},
		{"bare, synchronous publishes", false, startRival("bare", 1024)},
		{"bare, asynchronous publishes", false, startRival("bare", 1024, "-async")},
		{"Watermill router", false, startRival("watermill", 1024)},
	}
}

func startRival(program string, workers int, flags ...string) func(context.Context, *Bench, string, *rig.NATS, *rig.Stub) (*rig.Process, error) {
	return func(ctx context.Context, b *Bench, _ string, nats *rig.NATS, stub *rig.Stub) (*rig.Process, error) {
		return b.Rig.StartRival(ctx, program, nats.URL, stub.URL, benchPrefix, workers, flags...)
	}
}

// benchPrefix is that of all contenders: each has a server of its own.
const benchPrefix = "sluice"

// benchLane is where the commands of the speed scenarios go.
var benchLane = load.Lane{
	Prefix: benchPrefix, Vendor: "volcengine", Account: "bench", Region: "cn-beijing", Operation: "flush", Priority: "bulk",
}

// unlimited are quotas that are never felt.
var unlimited = map[string]string{
	"FlushDBInstance": "1000000/s", "RestartDBInstance": "1000000/s", "DescribeDBInstanceDetail": "1000000/s", "DescribeDBInstances": "1000000/s",
}

// benchAccount is the account of the speed scenarios.
func benchAccount(endpoint string) rig.Account {
	return rig.Account{
		Name: benchLane.Account, Vendor: benchLane.Vendor, Endpoint: endpoint, Allow: []string{"flush"}, Quotas: unlimited, MaxInFlight: 2000,
	}
}

func startSluice(_ context.Context, b *Bench, label string, nats *rig.NATS, stub *rig.Stub) (*rig.Process, error) {
	c, err := b.Rig.StartConsumer(label, rig.Config{NATS: nats.URL, Accounts: []rig.Account{benchAccount(stub.URL)}})
	if err != nil {
		return nil, err
	}
	return c.Process, nil
}

func throughputDefault(ctx context.Context, b *Bench) ([]report.Row, error) {
	return throughput(ctx, b, backlogOf{b.Size(60_000, 1_000), rig.SyncDefault}, 8000, 150)
}

func throughputAlways(ctx context.Context, b *Bench) ([]report.Row, error) {
	rows, err := throughput(ctx, b, backlogOf{b.Size(20_000, 1_000), rig.SyncAlways}, 2500, 0)
	if err != nil || b.Alone {
		return rows, err
	}
	var floor []float64
	for range b.Rounds {
		perSecond, err := acksAlone(ctx, b)
		if err != nil {
			return rows, fmt.Errorf("acknowledgements alone: %w", err)
		}
		floor = append(floor, perSecond)
	}
	alone := report.Measured("acknowledgements and nothing else: the floor of every program", "none", "commands/s", floor...)
	return append(rows, alone.Times(rows[0], "sluice")), nil
}

// backlogOf is how many commands wait, and how the server keeps them. They are enough
// for several seconds, so that a run's beginning and end weigh little.
type backlogOf struct {
	count int
	sync  string
}

// pass is what one contender did in one round.
type pass struct {
	perSecond, tool, server, vendor float64 // commands a second; microseconds of processor a command
}

// throughput lets every contender work through the same backlog, round by round.
func throughput(ctx context.Context, b *Bench, work backlogOf, goal, goalCPU float64) ([]report.Row, error) {
	all := contenders()
	if b.Alone {
		all = all[:1]
	}
	passes := make([][]pass, len(all))
	for round := range b.Rounds {
		for i := range all {
			// Each round begins with another one: what was before may matter.
			i = (i + round) % len(all)
			label := fmt.Sprintf("%s-%d", b.scenario, round)
			p, err := passThrough(ctx, b, all[i], label, work)
			if err != nil {
				return throughputRows(all, passes, goal, goalCPU), fmt.Errorf("%s, round %d: %w", all[i].name, round+1, err)
			}
			b.Logf("round %d: %s: %.0f commands/s; µs of processor a command: %.0f its own, %.0f the server's, %.0f the stub's",
				round+1, all[i].name, p.perSecond, p.tool, p.server, p.vendor)
			passes[i] = append(passes[i], p)
		}
	}
	return throughputRows(all, passes, goal, goalCPU), nil
}

func throughputRows(all []contender, passes [][]pass, goal, goalCPU float64) []report.Row {
	speed := make([]report.Row, len(all))
	cpu := make([]report.Row, len(all))
	for i, c := range all {
		var perSecond, tool []float64
		for _, p := range passes[i] {
			perSecond, tool = append(perSecond, p.perSecond), append(tool, p.tool)
		}
		speed[i] = report.Measured(c.name+": rate", "stub", "commands/s", perSecond...)
		cpu[i] = report.Measured(c.name+": its processor time", "stub", "µs/command", tool...)
	}
	speed[0] = report.AtLeast(speed[0].What, "stub", "commands/s", goal, speed[0].Raw...)
	if goalCPU > 0 {
		cpu[0] = report.AtMost(cpu[0].What, "stub", "µs/command", goalCPU, cpu[0].Raw...)
	}
	for i := 1; i < len(all); i++ {
		speed[i] = speed[i].Times(speed[0], "sluice")
		cpu[i] = cpu[i].Times(cpu[0], "sluice")
	}
	return append(speed, cpu...)
}

// passThrough lays the backlog, starts the contender, and measures from the first
// result to the last.
func passThrough(ctx context.Context, b *Bench, c contender, label string, work backlogOf) (p pass, err error) {
	count := work.count
	nats, stub, broker, err := ground(ctx, b, work.sync, account)
	if err != nil {
		return p, err
	}
	defer broker.Close()
	if err := broker.Lay(ctx, benchLane, count, backlog(count)); err != nil {
		return p, err
	}
	tool, err := c.start(ctx, b, label, nats, stub)
	if err != nil {
		return p, err
	}
	m := meter{broker: broker, processes: []*rig.Process{tool, nats.Process, stub.Process}}
	if err := m.run(ctx, count); err != nil {
		return p, err
	}
	p = pass{m.perSecond, m.cpu[0], m.cpu[1], m.cpu[2]}
	calls, err := expectCalls(ctx, stub, count*9/10)
	if err != nil {
		return p, err
	}
	b.Logf("%s: calls that arrived: %v", label, calls)
	// A rival may as well be killed; a consumer writes its profile as it stops.
	if c.profiled {
		err = tool.Stop()
	}
	tool.Kill()
	stub.Kill()
	return p, firstOf(err, nats.Stop())
}

// ground starts a server with empty streams, and a stub with so many instances.
func ground(ctx context.Context, b *Bench, sync string, instances int) (*rig.NATS, *rig.Stub, *load.Broker, error) {
	nats, err := b.Rig.StartNATS(ctx, sync)
	if err != nil {
		return nil, nil, nil, err
	}
	stub, err := b.Rig.StartStub(ctx, "redis-", instances)
	if err != nil {
		return nil, nil, nil, err
	}
	broker, err := load.Connect(nats.URL)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := broker.Prepare(ctx, benchPrefix, load.Account{Vendor: benchLane.Vendor, Name: benchLane.Account}); err != nil {
		broker.Close()
		return nil, nil, nil, err
	}
	return nats, stub, broker, nil
}

// account is how many instances the commands go round: four times as
// many as an account of this vendor may have by default. Sluice looks
// each of them up before it is flushed, which no rival does.
const account = 200

// backlog makes commands of which every tenth is a duplicate: the token and the
// instance of an earlier one, half of them of one of the latest ten, which may
// still be in flight.
func backlog(count int) func(i int) load.Command {
	chance := rand.New(rand.NewPCG(1, uint64(count)))
	return func(i int) load.Command {
		of := i
		if i%10 == 9 {
			back := 1 + chance.IntN(9)
			if chance.IntN(2) == 0 {
				back += chance.IntN(i/10+1) * 10
			}
			of = i - min(back, i)
		}
		return load.Command{ID: fmt.Sprintf("e%d", i), Token: fmt.Sprintf("bench-%d", of), Instance: fmt.Sprintf("redis-%d", of%account)}
	}
}

// expectCalls makes sure that the work was done: a mutation for every token, once.
func expectCalls(ctx context.Context, stub *rig.Stub, want int) (counts map[string]int, err error) {
	if counts, err = stub.Counts(ctx); err != nil {
		return nil, err
	}
	if got := counts["FlushDBInstance"]; got != want {
		return nil, fmt.Errorf("%d mutations arrived, not %d (calls: %v)", got, want, counts)
	}
	return counts, nil
}

// meter measures processes between the first result and the last.
type meter struct {
	broker    *load.Broker
	processes []*rig.Process

	perSecond float64
	cpu       []float64 // microseconds a command, by process
}

// run waits for the results of count commands.
func (m *meter) run(ctx context.Context, count int) error {
	var before []time.Duration
	var first jetstream.StreamState
	var failed error
	err := rig.Await(ctx, 10*time.Second+stall, 2*time.Millisecond, "the first result", func() bool {
		first, failed = m.broker.State(ctx, load.Results(benchPrefix))
		return failed != nil || first.Msgs > 0
	}, m.processes...)
	if err = firstOf(err, failed); err != nil {
		return err
	}
	if before, err = cpuOf(m.processes); err != nil {
		return err
	}
	last, err := m.finish(ctx, count)
	if err != nil {
		return err
	}
	after, err := cpuOf(m.processes)
	if err != nil {
		return err
	}
	m.perSecond = float64(count-1) / last.LastTime.Sub(first.FirstTime).Seconds()
	for i := range after {
		m.cpu = append(m.cpu, float64((after[i]-before[i]).Microseconds())/float64(count-int(first.Msgs)))
	}
	return nil
}

// stall is how long nothing may happen before a measurement is given up.
const stall = 30 * time.Second

// finish waits until every command has its result and was acknowledged.
func (m *meter) finish(ctx context.Context, count int) (last jetstream.StreamState, err error) {
	var failed error
	var commands jetstream.StreamState
	var seen uint64
	moved := time.Now()
	err = rig.Await(ctx, time.Hour, 20*time.Millisecond, fmt.Sprintf("%d results", count), func() bool {
		if last, failed = m.broker.State(ctx, load.Results(benchPrefix)); failed != nil {
			return true
		}
		if last.Msgs != seen {
			seen, moved = last.Msgs, time.Now()
		}
		if last.Msgs >= uint64(count) {
			if commands, failed = m.broker.State(ctx, load.Commands(benchPrefix)); failed != nil || commands.Msgs == 0 {
				return true
			}
		}
		if time.Since(moved) > stall {
			failed = fmt.Errorf("nothing has moved for %s: %d of %d results, %d commands unacknowledged; the log ends: %s",
				stall, last.Msgs, count, commands.Msgs, m.processes[0].Tail(3))
		}
		return failed != nil
	}, m.processes...)
	if err = firstOf(err, failed); err == nil && last.Msgs > uint64(count) {
		err = fmt.Errorf("%d results for %d commands", last.Msgs, count)
	}
	return last, err
}

func cpuOf(processes []*rig.Process) ([]time.Duration, error) {
	out := make([]time.Duration, len(processes))
	for i, p := range processes {
		var err error
		if out[i], err = p.CPU(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
