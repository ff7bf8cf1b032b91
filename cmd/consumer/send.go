package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

const sendHelp = `Publish commands, validated before they leave, and say which of them are stored.

  consumer send restart redis-cn02abc --vendor volcengine --account prod \
      --region cn-beijing --wait
  consumer send restore dcs-1 --backup b-7 --vendor huawei --account hw \
      --region cn-north-4 --priority urgent --expires 10m
  consumer send restart - --vendor huawei --account hw --region cn-north-4 \
      --priority bulk --token patch-42 --wait < instances.txt

Operations: restart, soft_restart, flush, restore. Instances are arguments; "-" reads
them from standard input, one a line.

--token names the work: the same token is never carried out twice, so a send that was
interrupted can simply be repeated. With several instances, and with "-", the token of
each is TOKEN/INSTANCE. Without --token every command gets a random one, which is
printed.

--wait shows progress and prints a line per final result; --output json prints the
result events instead, a line each, exactly as published (without --wait, a line per
stored command).

Exit codes: 0 stored (with --wait: all succeeded), 1 not stored, not succeeded or not
answered within --timeout, 2 wrong usage or a command that would be refused as invalid.`

// sendFlags are what a send is asked for.
type sendFlags struct {
	client                              clientFlags
	vendor, account, region             string
	backup, timePoint, token, priority  string
	passwordRef, passwordSealed         string
	expires, timeout                    time.Duration
	dryRun, wait, intake                bool
	source, correlation, parent, output string
}

func newSend(s std) *cobra.Command {
	f := &sendFlags{}
	cmd := &cobra.Command{
		Use: "send OPERATION INSTANCE...", Short: "Publish commands", Long: sendHelp,
		Args: atLeast(2, "an operation and at least one instance"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), s, args[0], args[1:]) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return events.Operations(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	f.client.add(cmd)
	f.define(cmd)
	outputFlag(cmd, &f.output)
	complete(cmd, "vendor", vendorNames())
	complete(cmd, "priority", events.Priorities())
	return cmd
}

// define defines the flags of the command event and of the waiting.
func (f *sendFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.vendor, "vendor", "", "cloud API: volcengine, huawei, tencent or tencent-crs")
	flags.StringVar(&f.account, "account", "", "account, as the consumer's configuration names it")
	flags.StringVar(&f.region, "region", "", "region, by the vendor's own id")
	flags.StringVar(&f.backup, "backup", "", "backup to restore")
	flags.StringVar(&f.timePoint, "time-point", "", "moment to restore to (RFC 3339), where the vendor can")
	flags.StringVar(&f.token, "token", "", "names the work; with several instances the token of each is TOKEN/INSTANCE")
	flags.StringVar(&f.priority, "priority", events.Normal, "urgent, normal or bulk")
	flags.DurationVar(&f.expires, "expires", 0, "after this time from now the command must not start (default by priority)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "everything but the mutation; the answer shows the call")
	flags.StringVar(&f.passwordRef, "password-ref", "", "the instance's password: name of a file in the consumer's secrets directory")
	flags.StringVar(&f.passwordSealed, "password-sealed", "", "the instance's password, as \"consumer seal\" prints it")
	flags.StringVar(&f.source, "source", "", "source of the event (default /sluice/send/ and the host's name)")
	flags.StringVar(&f.correlation, "correlation-id", "", "correlationid, carried into every result")
	flags.StringVar(&f.parent, "traceparent", "", "W3C trace context, carried into every result")
	flags.BoolVar(&f.intake, "intake", false, "publish on the intake subject, not on the lane's")
	flags.BoolVarP(&f.wait, "wait", "w", false, "wait for the final result of every command")
	flags.DurationVar(&f.timeout, "timeout", 0, "how long --wait waits; 0 as long as it takes")
}

// check refuses what is wrong whatever the instances are.
func (f *sendFlags) check(operation string) error {
	for _, err := range []error{
		checkOutput(f.output), oneOf("operation", operation, events.Operations()),
		oneOf("--priority", f.priority, events.Priorities()),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case f.vendor == "" || f.account == "" || f.region == "":
		return usagef("send needs --vendor, --account and --region")
	case f.expires < 0:
		return usagef("--expires is %s; it is a duration from now, like 10m", f.expires)
	case f.timeout < 0:
		return usagef("--timeout is %s; it is a duration, like 5m", f.timeout)
	case f.timeout > 0 && !f.wait:
		return usagef("--timeout bounds the waiting; add --wait")
	case f.passwordRef != "" && f.passwordSealed != "":
		return usagef("--password-ref and --password-sealed are given; one password is enough")
	case f.intake:
		return nil
	}
	return errors.Join(subjectPart("--vendor", f.vendor), subjectPart("--account", f.account), subjectPart("--region", f.region))
}

// run prepares every command before the first one leaves.
func (f *sendFlags) run(ctx context.Context, s std, operation string, args []string) error {
	if err := f.check(operation); err != nil {
		return err
	}
	instances, several, err := instancesOf(s, args)
	if err != nil {
		return err
	}
	orders, err := f.orders(operation, instances, several, time.Now())
	if err != nil {
		return err
	}
	c, err := f.client.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	sender := &sender{s: s, client: c, json: f.output == "json", acks: f.output == "text" || !f.wait, intake: f.intake}
	if !f.wait {
		return sender.send(ctx, orders)
	}
	return f.sendAndWait(ctx, sender, orders)
}

// sendAndWait follows the results from before the first command leaves, so that
// no answer can be missed.
func (f *sendFlags) sendAndWait(ctx context.Context, sender *sender, orders []*order) error {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.timeout > 0 {
		waiting, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	results, err := sender.client.results(waiting, resultsOf(sender.client.subjects, orders[0].command))
	var refusal *broker.ForbiddenError
	switch {
	case errors.As(err, &refusal):
		return fmt.Errorf("nothing was sent: --wait %w; without --wait no results are needed", err)
	case err != nil:
		return err
	}
	sent := sender.send(ctx, orders)
	if sent != nil && !errors.Is(sent, errSilent) {
		return sent
	}
	w := newWaiter(sender, orders, f.timeout)
	if err := w.wait(ctx, waiting, results); err != nil {
		return err
	}
	return sent
}
