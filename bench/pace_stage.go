package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/load"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// stage is a NATS server with a set of accounts, each with a cloud of its own, and
// the consumers that serve them.
type stage struct {
	b      *Bench
	nats   *rig.NATS
	broker *load.Broker
	prefix string
	sites  []*site
	ttl    time.Duration
}

// newStage starts a server. Close ends everything that was started on it.
func newStage(ctx context.Context, b *Bench) (*stage, error) {
	nats, err := b.Rig.StartNATS(ctx, rig.SyncDefault)
	if err != nil {
		return nil, err
	}
	broker, err := load.Connect(nats.URL)
	if err != nil {
		return nil, err
	}
	return &stage{b: b, nats: nats, broker: broker, prefix: benchPrefix}, nil
}

// beside is a stage of its own on the same server.
func (s *stage) beside(prefix string) *stage {
	return &stage{b: s.b, nats: s.nats, broker: s.broker, prefix: prefix, ttl: s.ttl}
}

// close ends the clouds and all processes of the rig.
func (s *stage) close() {
	s.b.Rig.StopAll()
	s.broker.Close()
	s.closeClouds()
}

func (s *stage) closeClouds() {
	for _, t := range s.sites {
		_ = t.cloud.Close()
	}
}

// prepare makes the streams for all sites.
func (s *stage) prepare(ctx context.Context) error {
	var accounts []load.Account
	for _, t := range s.sites {
		accounts = append(accounts, load.Account{Vendor: t.account.Vendor, Name: t.account.Name})
	}
	return s.broker.Prepare(ctx, s.prefix, accounts...)
}

// consumer starts a replica that serves all sites.
func (s *stage) consumer() (*rig.Consumer, error) {
	c := rig.Config{NATS: s.nats.URL, Prefix: s.prefix, LeaseTTL: s.ttl, Extra: "secrets: {allowPlaintext: true}\n"}
	for _, t := range s.sites {
		c.Accounts = append(c.Accounts, t.account)
	}
	return s.b.Rig.StartConsumer(s.b.scenario, c)
}

// consumers starts replicas and waits until the accounts are shared evenly.
func (s *stage) consumers(ctx context.Context, count int) ([]*rig.Consumer, error) {
	replicas := make([]*rig.Consumer, count)
	for i := range replicas {
		var err error
		if replicas[i], err = s.consumer(); err != nil {
			return nil, err
		}
	}
	most := (len(s.sites) + count - 1) / count
	var held []int
	err := rig.Await(ctx, time.Minute, 200*time.Millisecond, "an even share of the accounts", func() bool {
		held = held[:0]
		for _, c := range replicas {
			m, err := c.Metrics(ctx)
			if err != nil {
				return false
			}
			held = append(held, int(m.Sum("sluice_lease_held")))
		}
		sum := 0
		for _, n := range held {
			sum += n
		}
		return sum == len(s.sites) && slices.Max(held) <= most
	}, processes(replicas)...)
	if err != nil {
		return nil, fmt.Errorf("%w (held: %v)", err, held)
	}
	return replicas, nil
}

func processes(replicas []*rig.Consumer) (out []*rig.Process) {
	for _, c := range replicas {
		out = append(out, c.Process)
	}
	return out
}

// pause waits, or returns why the bench ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// seconds is a duration, or a shorter one when the bench itself is being checked.
func (b *Bench) seconds(full, small float64) time.Duration {
	if b.Quick {
		full = small
	}
	return time.Duration(full * float64(time.Second))
}
