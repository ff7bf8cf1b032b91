package main

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

const emulateHelp = `Play the four clouds' APIs on one loopback port, without a consumer.

Access key "emulator-key", secret "emulator-secret", for every vendor. Any
well-formed instance id exists and is running. GET /_emulator/ on the same port
explains how to read what was called and how to inject faults.

  consumer emulate --listen 127.0.0.1:9000
  curl -s http://127.0.0.1:9000/_emulator/

An account of the consumer's configuration is pointed at it with
endpoint: http://127.0.0.1:9000`

func newEmulate(s std) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use: "emulate --listen ADDR", Short: "Play the four clouds on one port", Long: emulateHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkLoopback(listen); err != nil {
				return err
			}
			server := emulator.New(emulator.Options{})
			url, err := server.Listen(listen)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "emulated clouds on %s (key %s, secret %s); what was called: %s/_emulator/\n",
				url, emulator.DefaultAccessKey, emulator.DefaultSecretKey, url)
			<-cmd.Context().Done()
			return server.Close()
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:9000", "loopback address to listen on; port 0 takes a free one")
	return cmd
}

// checkLoopback refuses to show made-up credentials to a network.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usagef("--listen %q: %w; write HOST:PORT", addr, err)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usagef("--listen %q is not a loopback address; the emulated clouds take a published key and belong on 127.0.0.1", addr)
	}
	return nil
}
