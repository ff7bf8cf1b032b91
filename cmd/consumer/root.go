package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const rootHelp = `Sluice carries out commands for managed Redis instances (restart, soft_restart,
flush, restore) on Volcengine, Huawei Cloud and Tencent Cloud: once, in time,
inside each vendor's API quota, and with an answer.

Publishers put commands on NATS JetStream as CloudEvents; "consumer run" carries
them out and publishes result events.

  consumer demo                      see it work, on emulated clouds, in seconds
  consumer check --config FILE       validate a configuration without starting
  consumer run --config FILE         the consumer itself
  consumer send restart INSTANCE --vendor V --account A --region R --wait

Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.`

// newRoot makes the command tree.
func newRoot(s std) *cobra.Command {
	root := &cobra.Command{
		Use:           "consumer",
		Short:         "Carry out commands for managed Redis instances on several clouds",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       buildVersion(),
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see %q", err, cmd.CommandPath()+" --help")
	})
	root.AddCommand(newRun(s), newDemo(s), newSend(s), newWatch(s), newStatus(s), newCheck(s), newSeal(s), newEmulate(s), newDeadLetters(s), newVersion(s), newReference(s))
	return root
}

// unknownCommand names the nearest commands.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := cmd.SuggestionsFor(args[0])
	if len(near) > 0 {
		return usagef("unknown command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return usagef("unknown command %q; see %q", args[0], cmd.CommandPath()+" --help")
}

// outputFlag adds --output, which is text or json.
func outputFlag(cmd *cobra.Command, target *string) {
	cmd.Flags().StringVarP(target, "output", "o", "text", "output format: text or json (one object a line)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// checkOutput refuses other formats.
func checkOutput(format string) error {
	if format != "text" && format != "json" {
		return usagef("--output is %q; it is text or json", format)
	}
	return nil
}

// exactly and atLeast wrap cobra's argument checks, so that they exit with 2.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s needs %s; see %q", cmd.CommandPath(), what, cmd.CommandPath()+" --help")
		}
		return nil
	}
}

func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usagef("%s needs %s; see %q", cmd.CommandPath(), what, cmd.CommandPath()+" --help")
		}
		return nil
	}
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, but got %s", cmd.CommandPath(), fmt.Sprintf("%q", args))
	}
	return nil
}
