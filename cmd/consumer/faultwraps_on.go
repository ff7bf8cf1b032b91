//go:build faults

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// faultyKV is the ledger's bucket with a fault point around each write. Which
// step a write is, it reads off the record.
type faultyKV struct {
	broker.KV
	faults *faults

	mu    sync.Mutex
	known map[string]ledger.Record // as last read or written here, by key
}

func newFaultyKV(kv broker.KV, f *faults) *faultyKV {
	return &faultyKV{KV: kv, faults: f, known: map[string]ledger.Record{}}
}

// learn remembers a record and returns what was known before.
func (kv *faultyKV) learn(key string, value []byte) (before, now ledger.Record) {
	_ = json.Unmarshal(value, &now)
	kv.mu.Lock()
	defer kv.mu.Unlock()
	before = kv.known[key]
	kv.known[key] = now
	return before, now
}

func (kv *faultyKV) Get(ctx context.Context, key string) (broker.Entry, error) {
	e, err := kv.KV.Get(ctx, key)
	if err == nil {
		kv.learn(key, e.Value)
	}
	return e, err
}

func (kv *faultyKV) Create(ctx context.Context, key string, value []byte) (revision uint64, err error) {
	err = kv.faults.around("claim", func() error {
		return kv.also(value, func() error {
			revision, err = kv.KV.Create(ctx, key, value)
			var held *broker.HeldError
			switch {
			case err == nil:
				kv.learn(key, value)
			case errors.As(err, &held):
				kv.learn(key, held.Held.Value)
			}
			return err
		})
	})
	return revision, err
}

// also passes the points of the step that a claim takes at once.
func (kv *faultyKV) also(value []byte, do func() error) error {
	var now ledger.Record
	_ = json.Unmarshal(value, &now)
	if step := stepOf(ledger.Record{State: ledger.Claimed, Writer: now.Writer}, now); step != "note" {
		return kv.faults.around(step, do)
	}
	return do()
}

func (kv *faultyKV) Update(ctx context.Context, key string, value []byte, revision uint64) (next uint64, err error) {
	err = kv.faults.around(stepOf(kv.learn(key, value)), func() error {
		next, err = kv.KV.Update(ctx, key, value, revision)
		return err
	})
	return next, err
}

// stepOf names the write that leads from one record to the next.
func stepOf(before, now ledger.Record) string {
	switch {
	case now.State == before.State && len(now.Expired)+len(now.Reused) > len(before.Expired)+len(before.Reused):
		return "told"
	case now.State == ledger.Free:
		return "free"
	case now.State == ledger.Final && before.State != ledger.Final:
		return "outcome"
	case now.State == ledger.Accepted && before.State != ledger.Accepted:
		return "accepted"
	case before.State == ledger.Free:
		return "claim"
	case now.Attempts > before.Attempts:
		return "intent"
	case now.State == ledger.Claimed && before.State == ledger.Sending:
		return "retry"
	case now.Writer != before.Writer:
		return "touch"
	}
	return "note"
}

// faultyBroker is the broker with fault points around results and
// acknowledgements.
type faultyBroker struct {
	dispatch.Broker
	faults *faults
}

func (b faultyBroker) Publish(ctx context.Context, m broker.Outgoing) error {
	if !strings.Contains(m.Subject, ".results.") {
		return b.Broker.Publish(ctx, m)
	}
	write := "result"
	if strings.HasSuffix(m.Subject, ".accepted") {
		write = "announce"
	}
	return b.faults.around(write, func() error { return b.Broker.Publish(ctx, m) })
}

func (b faultyBroker) Lane(ctx context.Context, subject string, ackWait time.Duration, maxPending int) (dispatch.Lane, error) {
	l, err := b.Broker.Lane(ctx, subject, ackWait, maxPending)
	if err != nil {
		return nil, err
	}
	return faultyLane{l, b.faults}, nil
}

// faultyLane hands out messages with fault points around the acknowledgement.
type faultyLane struct {
	dispatch.Lane
	faults *faults
}

func (l faultyLane) Fetch(ctx context.Context, n int, wait time.Duration) ([]broker.Message, error) {
	got, err := l.Lane.Fetch(ctx, n, wait)
	for i := range got {
		got[i] = &faultyMessage{got[i], l.faults}
	}
	return got, err
}

type faultyMessage struct {
	broker.Message
	faults *faults
}

func (m *faultyMessage) Ack(ctx context.Context) error {
	return m.faults.around("ack", func() error { return m.Message.Ack(ctx) })
}

// faultyVendor has fault points around the bytes of a mutation.
type faultyVendor struct {
	vendors.Vendor
	faults *faults
}

func (v faultyVendor) Execute(ctx context.Context, req vendors.Request, base vendors.Baseline, commit vendors.Commit) vendors.Verdict {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Not WroteRequest: that is told before the last bytes are flushed, hence
		// often before the first.
		GotFirstResponseByte: func() { v.faults.pass("call.sent") },
	})
	verdict := v.Vendor.Execute(ctx, req, base, func(ctx context.Context, signedAt time.Time) error {
		err := commit(ctx, signedAt)
		if err == nil {
			v.faults.pass("call.before")
		}
		return err
	})
	if verdict.Kind != vendors.Withheld {
		v.faults.pass("call.answered")
	}
	return verdict
}
