package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// commandsMarkdown is the reference of commands and flags.
func commandsMarkdown(s std) string {
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from code; do not edit.\n")
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		var help bytes.Buffer
		cmd.InitDefaultHelpFlag()
		cmd.SetOut(&help)
		_ = cmd.Help()
		fmt.Fprintf(&b, "\n## %s\n\n```\n%s```\n", cmd.CommandPath(), help.String())
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	root := newRoot(s)
	root.Version = ""
	walk(root)
	return b.String()
}

// vendorsMarkdown is the table of what each vendor offers.
func vendorsMarkdown() string {
	var b strings.Builder
	b.WriteString("# Vendors: operations and default quotas\n\nGenerated from code; do not edit. Quotas are per account and region.\n")
	for _, a := range adapters() {
		f := a.facts
		fmt.Fprintf(&b, "\n## %s\n\n%s. Default endpoint `%s`. A signed request can take effect for %v.\n\n| operation | action |\n| --- | --- |\n",
			f.Name, f.Title, f.Endpoint, f.SignatureLife)
		for _, op := range []vendors.Operation{vendors.Restart, vendors.SoftRestart, vendors.Flush, vendors.Restore} {
			if action, ok := f.Actions[op]; ok {
				fmt.Fprintf(&b, "| %s | %s |\n", op, action)
			}
		}
		b.WriteString("\n| action | calls a second | kind | source of the figure |\n| --- | --- | --- | --- |\n")
		actions := make([]string, 0, len(f.Quotas))
		for action := range f.Quotas {
			actions = append(actions, action)
		}
		slices.Sort(actions)
		for _, action := range actions {
			q := f.Quotas[action]
			kind := "mutation"
			if q.Read {
				kind = "look-up"
			}
			fmt.Fprintf(&b, "| %s | %v | %s | %s |\n", action, q.PerSecond, kind, q.Source)
		}
	}
	return b.String()
}
