package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/telemetry"
)

const demoHelp = `Show the main job in seconds: an embedded NATS server, the four clouds emulated on
one port, and one command per vendor and operation, bad ones included. Everything
is thrown away afterwards; nothing outside this machine is reached.

  consumer demo                 a table for people
  consumer demo --output json   every result event, a line each
  consumer demo --serve         stay up afterwards, to try send, watch and status`

// demoTimeout bounds the demonstration; it takes a few seconds.
const demoTimeout = 18 * time.Second

func newDemo(s std) *cobra.Command {
	var output string
	var stay bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Show the main job on emulated clouds", Long: demoHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			return runDemo(cmd.Context(), s, output, stay)
		},
	}
	outputFlag(cmd, &output)
	cmd.Flags().BoolVar(&stay, "serve", false, "stay up after the demonstration")
	return cmd
}

// runDemo starts the parts, plays the script and prints the answers.
func runDemo(ctx context.Context, s std, output string, stay bool) error {
	dir, err := os.MkdirTemp("", "sluice-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(dir)
	clouds := emulator.New(emulator.Options{})
	url, err := clouds.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer clouds.Close()
	conf, err := demoConfig(dir, url)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if stay {
		if log, err = telemetry.NewLogger(s.err, "info", "text"); err != nil {
			return err
		}
	}
	c, err := newConsumer(ctx, conf, log)
	if err != nil {
		return err
	}
	defer c.close()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- c.serve(serving) }()
	play := newScreenplay(s, c, clouds, output)
	if err := play.run(ctx); err != nil {
		stop()
		return errors.Join(err, <-ended)
	}
	if stay {
		fmt.Fprintf(s.err, "\nStill up until interrupted. NATS %s, clouds %s/_emulator/, metrics http://%s/metrics\n"+
			"Try: consumer send restart redis-cn0demo --vendor volcengine --account demo-volc --region cn-beijing --nats-url %s --wait\n",
			c.natsURL(), url, c.http.Addr(), c.natsURL())
		<-ctx.Done()
	}
	stop()
	return <-ended
}

// demoConfig is a configuration like anybody's, pointed at the emulated clouds.
func demoConfig(dir, url string) (*config.Config, error) {
	if err := os.WriteFile(filepath.Join(dir, "crs-password"), []byte("demo-Pass1\n"), 0o600); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	text := fmt.Sprintf(demoYAML, filepath.Join(dir, "nats"), dir, url)
	return config.Parse("demo.yaml", []byte(text), config.Options{Catalog: catalog(), Env: func(string) (string, bool) { return "", false }})
}

const demoYAML = `
nats:
  embedded: {storeDir: %[1]q, listen: "127.0.0.1:0", sync: 1s}
http: {listen: "127.0.0.1:0"}
secrets: {dir: %[2]q}
accounts:
  - name: demo-volc
    vendor: volcengine
    regions: [cn-beijing]
    credentials: {accessKey: emulator-key, secretKey: emulator-secret}
    endpoint: %[3]q
    allow: [restart, flush, restore]
    track: {interval: 400ms}
  - name: demo-hw
    vendor: huawei
    regions: [cn-north-4]
    projects: {cn-north-4: 0123456789abcdef0123456789abcdef}
    credentials: {accessKey: emulator-key, secretKey: emulator-secret}
    endpoint: %[3]q
    allow: [restart, soft_restart, flush, restore]
    quotas: {RestartOrFlushInstances: 5/s, RestoreInstance: 5/s, ShowInstance: 50/s, ListInstances: 20/s, ListRestoreRecords: 20/s, ListBackupRecords: 20/s}
    track: {interval: 400ms}
  - name: demo-tc
    vendor: tencent
    regions: [ap-guangzhou]
    credentials: {secretId: emulator-key, secretKey: emulator-secret}
    endpoint: %[3]q
    allow: [restore]
    track: {interval: 400ms}
  - name: demo-tc-flush
    vendor: tencent
    regions: [ap-guangzhou]
    credentials: {secretId: emulator-key, secretKey: emulator-secret}
    endpoint: %[3]q
    allow: [flush]
    track: {interval: 400ms}
  - name: demo-crs
    vendor: tencent-crs
    regions: [gz]
    credentials: {secretId: emulator-key, secretKey: emulator-secret}
    endpoint: %[3]q
    allow: [flush, restore]
    track: {interval: 400ms}
`
