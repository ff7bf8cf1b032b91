package main

import (
	"context"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

// boundScenarios are memory, processor and start-up as the work grows.
func boundScenarios() []Scenario {
	return []Scenario{
		{"backlog", "memory with commands waiting", boundBacklog},
		{"followed", "memory and processor with accepted work being followed", boundFollowed},
		{"accounts", "start, memory and processor of many idle lanes", boundAccounts},
		{"ledger", "claims as the ledger grows", boundLedger},
	}
}

const mib = 1 << 20

// few is how many rounds the bounds get: they take long and vary little.
func (b *Bench) few() int { return min(b.Rounds, 3) }

// sizes are the sizes at which growth is looked at, the largest last.
func (b *Bench) sizes(full, small []int) []int {
	if b.Quick {
		return small
	}
	return full
}

// span is how long the bounds are watched.
func (b *Bench) span() time.Duration { return time.Duration(b.Size(30, 3)) * time.Second }

// use is what a process took over a while.
type use struct {
	// cores is processor time over time; memory is resident, in MiB, at the end.
	cores, memory float64
}

// watch measures a process over the span.
func watch(ctx context.Context, p *rig.Process, span time.Duration) (use, error) {
	before, err := p.CPU()
	if err != nil {
		return use{}, err
	}
	began := time.Now()
	select {
	case <-time.After(span):
	case <-p.Ended():
	case <-ctx.Done():
		return use{}, context.Cause(ctx)
	}
	after, err := p.CPU()
	if err != nil {
		return use{}, err
	}
	now, _, err := p.RSS()
	if err != nil {
		return use{}, err
	}
	return use{(after - before).Seconds() / time.Since(began).Seconds(), float64(now) / mib}, nil
}
