package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const checkHelp = `Validate a configuration, and command events, without starting or connecting anything.

  consumer check --config sluice.yaml
  consumer check --config sluice.yaml restart.json flush.json
  consumer check batch.json - < event.json

Every mistake of the configuration is reported as FILE:LINE:COL: what is wrong and
what would be right. An event file holds one structured CloudEvent or a batch of them
("-" is standard input). Events are checked as the consumer does: against the schemas,
and with --config also against accounts, regions, allowed operations and secrets.
An expirytime counts against the clock; the age of an event that has none does not.

Exit codes: 0 all is well, 1 an event would be refused, 2 wrong usage or configuration.`

func newCheck(s std) *cobra.Command {
	var file, output string
	cmd := &cobra.Command{
		Use: "check --config FILE [EVENT.json ...]", Short: "Validate a configuration and command events offline", Long: checkHelp,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			if file == "" && len(args) == 0 {
				return usagef("check needs --config FILE, event files, or both")
			}
			c := checker{s: s, json: output == "json"}
			if file != "" {
				if err := c.config(file); err != nil {
					return err
				}
			}
			return c.files(args)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (YAML)")
	outputFlag(cmd, &output)
	return cmd
}

// checker is one run of check.
type checker struct {
	s    std
	json bool
	// rules are the configuration's; nil without one.
	rules rules
}

// config validates the configuration and shows what it comes to.
func (c *checker) config(file string) error {
	conf, err := config.Load(file, config.Options{Catalog: catalog()})
	if err != nil {
		return usageError{err}
	}
	engine, err := accounts(conf)
	if err != nil {
		return usageError{err}
	}
	secrets, err := conf.Secrets.Open()
	if err != nil {
		return usageError{err}
	}
	c.rules = dispatch.NewChecker(engine, secrets, conf.Secrets.AllowPlaintext)
	for _, w := range conf.Warnings {
		fmt.Fprintf(c.s.err, "%s: warning: %s\n", file, w)
	}
	if c.json {
		return writeJSON(c.s.out, finding{File: file, OK: true})
	}
	summary(c.s.out, file, conf)
	return nil
}

// summary is what the configuration comes to, for a second look.
func summary(w io.Writer, file string, conf *config.Config) {
	server := conf.NATS.URL
	if conf.NATS.UsesEmbedded() {
		server = "embedded server on " + conf.NATS.Embedded.Listen
	}
	fmt.Fprintf(w, "%s: ok (broker: %s, prefix %s)\n", file, server, conf.NATS.Prefix)
	if len(conf.Accounts) == 0 {
		fmt.Fprintln(w, "no accounts: nothing would be carried out")
		return
	}
	t := &table{header: []string{"ACCOUNT", "VENDOR", "REGIONS", "OPERATIONS", "QUOTAS OVERRIDDEN"}}
	for _, a := range conf.Accounts {
		t.row(a.Name, a.Vendor, strings.Join(a.Regions, ", "), orNone(operationNames(a.Allow)), orNone(quotaNames(a.Quotas)))
	}
	t.print(w, false)
}

func operationNames(ops []vendors.Operation) string {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return strings.Join(names, ", ")
}

func quotaNames(quotas map[string]config.Rate) string {
	var names []string
	for action, rate := range quotas {
		names = append(names, action+" "+rate.String())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// read reads an event file; "-" is standard input.
func (c *checker) read(name string) ([]byte, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = io.ReadAll(c.s.in)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, usagef("read event %s: %w", name, err)
	}
	return data, nil
}
