package rig

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// StartRival runs one of the rivals, bare or watermill, and returns when it works.
func (r *Rig) StartRival(ctx context.Context, program, nats, vendor, prefix string, workers int, flags ...string) (*Process, error) {
	args := append([]string{"-nats", nats, "-vendor", vendor, "-prefix", prefix, "-workers", strconv.Itoa(workers)}, flags...)
	p, err := r.Start(program, "", nil, args...)
	if err != nil {
		return nil, err
	}
	return p, Await(ctx, 10*time.Second, time.Millisecond, program+" at work", func() bool {
		return strings.Contains(p.Log(), "working")
	}, p)
}
