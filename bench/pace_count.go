package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/bench/internal/load"
)

// results counts the results of the site's commands by their status.
func (t *site) results(ctx context.Context) (map[string]int, error) {
	byStatus := map[string]int{}
	stream, err := t.stage.broker.JS.Stream(ctx, load.Results(t.stage.prefix))
	if err != nil {
		return nil, fmt.Errorf("count results: %w", err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(t.resultSubject()))
	if err != nil {
		return nil, fmt.Errorf("count results: %w", err)
	}
	for subject, n := range info.State.Subjects {
		byStatus[subject[strings.LastIndexByte(subject, '.')+1:]] += int(n)
	}
	return byStatus, nil
}

// resultSubject is what all results of the site match.
func (t *site) resultSubject() string {
	return fmt.Sprintf("%s.results.%s.%s.>", t.stage.prefix, t.account.Vendor, t.account.Name)
}

// waiting counts the commands that are stored and not settled.
func (t *site) waiting(ctx context.Context) (int, error) {
	l := t.lane("")
	filter := fmt.Sprintf("%s.commands.%s.%s.>", l.Prefix, l.Vendor, l.Account)
	stream, err := t.stage.broker.JS.Stream(ctx, load.Commands(l.Prefix))
	if err != nil {
		return 0, fmt.Errorf("count commands: %w", err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return 0, fmt.Errorf("count commands: %w", err)
	}
	n := uint64(0)
	for _, of := range info.State.Subjects {
		n += of
	}
	return int(n), nil
}

// others is every result but of work that went well.
func others(results map[string]int) (n int) {
	for status, of := range results {
		if status != "accepted" && status != "succeeded" {
			n += of
		}
	}
	return n
}
