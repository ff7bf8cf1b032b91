package rig

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// NewServer runs a NATS server in this process until the test ends and returns
// its URL.
func NewServer(tb testing.TB) string {
	tb.Helper()
	s, err := broker.StartServer(broker.ServerOptions{Temporary: true, Listen: "127.0.0.1:0"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Shutdown)
	return s.URL()
}
