package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// ledgerGoal is how many times an empty ledger's claim latency that of a full one
// may be.
const ledgerGoal = 2

// filled is a ledger with tokens in it.
type filled struct {
	size  int
	nats  *rig.NATS
	conn  *broker.Conn
	store *ledger.Store
	p99   []float64 // milliseconds, by round
	p50   []float64
}

// boundLedger claims tokens in ledgers of different sizes, by turns.
func boundLedger(ctx context.Context, b *Bench) ([]report.Row, error) {
	var all []*filled
	defer func() {
		for _, f := range all {
			f.conn.Close()
		}
	}()
	for _, size := range b.sizes([]int{0, 10_000, 100_000, 1_000_000}, []int{0, 10_000}) {
		b.Logf("filling a ledger with %d tokens", size)
		f, err := fill(ctx, b, size)
		if err != nil {
			return nil, fmt.Errorf("%d tokens: %w", size, err)
		}
		all = append(all, f)
	}
	for round := range b.Rounds {
		if err := claims(ctx, all, round, b.Size(1_000, 100)); err != nil {
			return nil, err
		}
	}
	var rows []report.Row
	for _, f := range all {
		rows = append(rows, report.Measured(fmt.Sprintf("claim with %d tokens: p50", f.size), "none called", "ms", f.p50...))
	}
	for _, f := range all {
		rows = append(rows, report.Measured(fmt.Sprintf("claim with %d tokens: p99", f.size), "none called", "ms", f.p99...))
	}
	var ratios []float64
	empty, full := all[0], all[len(all)-1]
	for round := range full.p99 {
		ratios = append(ratios, full.p99[round]/empty.p99[round])
	}
	return append(rows, report.AtMost(fmt.Sprintf("p99 with %d tokens to that of an empty ledger", full.size), "none called", "times", ledgerGoal, ratios...)), nil
}

// fill starts a server and writes records of finished work into its ledger.
func fill(ctx context.Context, b *Bench, size int) (*filled, error) {
	server, err := b.Rig.StartNATS(ctx, rig.SyncDefault)
	if err != nil {
		return nil, err
	}
	pub, err := load.Connect(server.URL)
	if err != nil {
		return nil, err
	}
	defer pub.Close()
	if err := pub.Prepare(ctx, benchPrefix, load.Account{Vendor: benchLane.Vendor, Name: benchLane.Account}); err != nil {
		return nil, err
	}
	record, err := finishedRecord()
	if err != nil {
		return nil, err
	}
	err = pub.Publish(ctx, size, func(i int) *nats.Msg {
		token := fmt.Sprintf("token-%08d", i)
		return &nats.Msg{
			Subject: "$KV." + benchPrefix + "_ledger." + ledger.Key(events.TokenKey(token)),
			Data:    []byte(strings.Replace(record, "token-00000000", token, 1)),
		}
	})
	if err != nil {
		return nil, err
	}
	conn, err := broker.Connect(ctx, broker.Options{URL: server.URL, Prefix: benchPrefix, Name: "bench"})
	if err != nil {
		return nil, err
	}
	return &filled{size: size, nats: server, conn: conn, store: ledger.Open(conn.Ledger(), "bench")}, nil
}

// finishedRecord is the record of work that is done, as the engine leaves it.
func finishedRecord() (string, error) {
	now := time.Now().UTC()
	r := ledger.Record{
		Token: "token-00000000", Fingerprint: strings.Repeat("0123456789abcdef", 4), State: ledger.Final, Writer: "bench-0123456789abcdef", Write: 1,
		Command: claimCommand(0), Started: now, Attempts: 1,
		History: []ledger.Attempt{{N: 1, SignedAt: now, Replica: "bench-0123456789abcdef", Baseline: json.RawMessage(`{"status":"Running","at":"2026-01-02T03:04:05Z"}`),
			Verdict: "done", Answer: json.RawMessage(`{"httpStatus":200,"requestId":"20261125120000AABBCCDDEEFF00112233"}`), Answered: now}},
		Outcome: &ledger.Outcome{Status: "succeeded", Answer: json.RawMessage(`{"httpStatus":200,"requestId":"20261125120000AABBCCDDEEFF00112233"}`), Finished: now},
	}
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("make a record: %w", err)
	}
	return string(text), nil
}

func claimCommand(i int) json.RawMessage {
	return fmt.Appendf(nil, `{"event":{"id":"e%d","source":"/bench","type":"dev.sluice.command.flush.v1","time":"2026-01-02T03:04:05Z"},`+
		`"token":"token-%08d","key":"0123456789abcdefghijklmnop","vendor":"volcengine","account":"bench","region":"cn-beijing",`+
		`"operation":"flush","instanceId":"redis-%d","priority":"bulk","received":"2026-01-02T03:04:05Z"}`, i, i, i)
}

// claims takes tokens in every ledger, one at a time and by turns.
func claims(ctx context.Context, all []*filled, round, count int) error {
	took := make([][]float64, len(all))
	for n := range count {
		for i, f := range all {
			token := fmt.Sprintf("new-%d-%d", round, n)
			began := time.Now()
			_, created, err := f.store.Claim(ctx, events.TokenKey(token), "e", ledger.Record{
				Token: token, Fingerprint: strings.Repeat("0123456789abcdef", 4), Command: claimCommand(n),
			})
			if err != nil {
				return fmt.Errorf("claim with %d tokens: %w", f.size, err)
			}
			if !created {
				return fmt.Errorf("claim with %d tokens: %s was taken already", f.size, token)
			}
			took[i] = append(took[i], time.Since(began).Seconds()*1e3)
		}
	}
	for i, f := range all {
		f.p50 = append(f.p50, report.Percentile(took[i], 50))
		f.p99 = append(f.p99, report.Percentile(took[i], 99))
	}
	return nil
}
