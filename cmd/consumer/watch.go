package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

const watchHelp = `Follow results as they are published, until interrupted.

  consumer watch                                     everything from now on
  consumer watch --since 24h --status failed,indeterminate
  consumer watch --vendor huawei --account hw --output json | jq .data.reason

Without --since only results from now on are shown; with it also those of that time
back (results are kept for 30 days). --output json prints every result event
exactly as published, a line each.

Exit codes: 0 interrupted, 1 the broker cannot be asked, 2 wrong usage.`

// watchFlags select results.
type watchFlags struct {
	client                             clientFlags
	vendor, account, region, operation string
	statuses                           []string
	since                              time.Duration
	output                             string
}

func newWatch(s std) *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use: "watch", Short: "Follow results", Long: watchHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), s) },
	}
	f.client.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.vendor, "vendor", "", "only results of this vendor")
	flags.StringVar(&f.account, "account", "", "only results of this account")
	flags.StringVar(&f.region, "region", "", "only results of this region")
	flags.StringVar(&f.operation, "operation", "", "only results of this operation")
	flags.StringSliceVar(&f.statuses, "status", nil, "only results with this status; several separated by commas, or repeated")
	flags.DurationVar(&f.since, "since", 0, "also results of this time back, like 30m or 24h")
	outputFlag(cmd, &f.output)
	complete(cmd, "vendor", vendorNames())
	complete(cmd, "operation", events.Operations())
	complete(cmd, "status", statuses())
	return cmd
}

// check refuses values that no result can have.
func (f *watchFlags) check() error {
	for _, err := range []error{
		checkOutput(f.output), oneOf("--vendor", f.vendor, vendorNames()), oneOf("--operation", f.operation, events.Operations()),
		subjectPart("--account", f.account), subjectPart("--region", f.region),
	} {
		if err != nil {
			return err
		}
	}
	for _, status := range f.statuses {
		if err := oneOf("--status", status, statuses()); err != nil {
			return err
		}
	}
	if f.since < 0 {
		return usagef("--since is %s; it goes back from now and is not negative", f.since)
	}
	return nil
}

// filter is the selection in the broker's words; several statuses are told apart
// here, as one subject cannot.
func (f *watchFlags) filter(prefix string) broker.ResultFilter {
	status := ""
	if len(f.statuses) == 1 {
		status = f.statuses[0]
	}
	parts := []string{prefix, "results", f.vendor, f.account, f.region, f.operation, status}
	for i, p := range parts {
		if p == "" {
			parts[i] = "*"
		}
	}
	return broker.ResultFilter{Subject: strings.Join(parts, "."), Since: f.since, New: f.since == 0}
}

func (f *watchFlags) run(ctx context.Context, s std) error {
	if err := f.check(); err != nil {
		return err
	}
	err := f.follow(ctx, s)
	if ctx.Err() != nil {
		// Interrupted: that is how watching ends.
		return nil
	}
	return err
}

// follow shows results until ctx ends or they can be followed no longer.
func (f *watchFlags) follow(ctx context.Context, s std) error {
	c, err := f.client.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	results, err := c.results(ctx, f.filter(c.subjects.Prefix))
	if err != nil {
		return err
	}
	if isTerminal(s.err) {
		fmt.Fprintln(s.err, "following results; Ctrl-C ends")
	}
	for m := range results {
		if err := f.show(s, m); err != nil {
			return err
		}
	}
	return fmt.Errorf("following results ended: %w", c.ended())
}

// show prints one result.
func (f *watchFlags) show(s std, m broker.ResultMessage) error {
	e, err := events.DecodeResult(m.Data)
	if err != nil {
		fmt.Fprintf(s.err, "skipped message %d on %s: %v\n", m.Sequence, m.Subject, err)
		return nil
	}
	if len(f.statuses) > 1 && !slices.Contains(f.statuses, e.Data.Status) {
		return nil
	}
	if f.output == "json" {
		return writeEvent(s.out, m.Data)
	}
	_, err = fmt.Fprintln(s.out, watchLine(m.Time, e.Data, colorOn(s.out)))
	return err
}

// watchLine is a result among results of everybody: when, where, what, how.
func watchLine(at time.Time, r events.Result, color bool) string {
	where := strings.Join([]string{r.Vendor, r.Account, r.Region}, "/")
	return joinNonEmpty("  ", moment(at), paddedStatus(r.Status, color), printable(where),
		printable(joinNonEmpty(" ", r.Operation, r.InstanceID)), resultDetails(r), "token "+shellWord(printable(r.ClientToken)))
}
