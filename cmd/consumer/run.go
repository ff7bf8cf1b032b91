package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/telemetry"
)

const runHelp = `Run the consumer until it is told to stop.

Without nats.url an embedded NATS server runs inside the process, with its data
in nats.embedded.storeDir. SIGTERM and SIGINT drain: stop pulling, finish calls in
flight, hand leases back, exit within 15 s.

  consumer check --config sluice.yaml && consumer run --config sluice.yaml

HTTP (http.listen): /livez, /readyz, /metrics.`

// configFlags are the flags that override the configuration file.
var configFlags = map[string]string{
	"nats-url": "nats.url", "http-listen": "http.listen", "log-level": "log.level", "log-format": "log.format",
}

// addConfigFlags defines them.
func addConfigFlags(cmd *cobra.Command) {
	cmd.Flags().String("nats-url", "", "servers of the broker, comma-separated (overrides nats.url)")
	cmd.Flags().String("http-listen", "", "address of /livez, /readyz and /metrics (overrides http.listen)")
	cmd.Flags().String("log-level", "", "debug, info, warn or error (overrides log.level)")
	cmd.Flags().String("log-format", "", "text or json (overrides log.format)")
}

// flagValues are the overrides that were given.
func flagValues(cmd *cobra.Command) map[string]string {
	out := map[string]string{}
	for name, path := range configFlags {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			out[path] = f.Value.String()
		}
	}
	return out
}

func newRun(s std) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "run --config FILE", Short: "Run the consumer", Long: runHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Load(file, config.Options{Catalog: catalog(), Flags: flagValues(cmd)})
			if err != nil {
				return usageError{err}
			}
			log, err := telemetry.NewLogger(s.err, conf.Log.Level, conf.Log.Format)
			if err != nil {
				return usageError{err}
			}
			for _, w := range conf.Warnings {
				log.Warn(w)
			}
			if len(conf.Accounts) == 0 {
				log.Warn("no accounts are configured: nothing will be carried out")
			}
			c, err := newConsumer(cmd.Context(), conf, log)
			if err != nil {
				return err
			}
			defer c.close()
			defer holdHeapFloor()()
			if !conf.NATS.UsesEmbedded() {
				spareProcessors(cmd.Context())
			}
			if err := c.serve(cmd.Context()); err != nil {
				return fmt.Errorf("run: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (YAML)")
	addConfigFlags(cmd)
	return cmd
}
