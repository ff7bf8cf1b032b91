package broker

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/freeport"
	"github.com/seed-7b870224/sluice/internal/secret"
)

// A server that goes away and comes back on the same store interrupts, and
// nothing is lost: not a command, not a lane, not a watch, not a result.
func TestServerRestart(t *testing.T) {
	t.Parallel()
	serve := ServerOptions{StoreDir: t.TempDir(), Listen: freeport.Address(t)}
	first, err := StartServer(serve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(first.Shutdown)
	var connected atomic.Bool
	o := testOptions(nil)
	o.URL = first.URL()
	o.OnState = func(c bool) { connected.Store(c) }
	c := testConnect(t, o)
	mustSetup(t, c)
	q := testLane(t, c, time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watch, err := c.Ledger().Watch(ctx, "op.>")
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Results(ctx, ResultFilter{New: true})
	if err != nil {
		t.Fatal(err)
	}
	if e := next(t, watch); e.Key != "" {
		t.Fatalf("got %+v", e)
	}
	send(t, c, 1)
	held := fetch(t, q, 1)[0]
	fetchNone(t, q) // a request is open when the server goes

	first.Shutdown()
	eventually(t, "the connection is down", func() bool { return !c.Connected() && !connected.Load() })
	if err := c.Present(testContext(t)); err == nil {
		t.Error("the streams are present on a server that is down")
	}
	if _, err := c.Ledger().Create(testContext(t), "op.lost", nil); err == nil {
		t.Error("a write to a server that is down succeeded")
	}
	testServer(t, serve)
	eventually(t, "the connection is back", func() bool { return c.Connected() && connected.Load() })
	eventually(t, "the streams are back", func() bool { return c.Present(testContext(t)) == nil })

	if err := held.Ack(testContext(t)); err != nil {
		t.Errorf("acknowledge across the restart: %v", err)
	}
	send(t, c, 1)
	if m := fetch(t, q, 1)[0]; m.Sequence() != 2 {
		t.Errorf("got message %d, want the new one", m.Sequence())
	}
	if _, err := c.Ledger().Create(testContext(t), "op.a", nil); err != nil {
		t.Fatal(err)
	}
	if e := next(t, watch); e.Key != "op.a" {
		t.Errorf("the watch brought %+v", e)
	}
	publishResult(t, c, "succeeded", "after")
	if r := nextResult(t, results); string(r.Data) != "after" {
		t.Errorf("the results brought %s", r.Data)
	}
	cancel()
	eventually(t, "the watch ends", func() bool { _, open := <-watch; return !open })
}

func TestConnectBeforeTheServer(t *testing.T) {
	t.Parallel()
	serve := ServerOptions{Temporary: true, Listen: freeport.Address(t)}
	c, err := Connect(testContext(t), Options{URL: "nats://" + serve.Listen})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := c.WaitConnected(ctx); err == nil || !strings.Contains(err.Error(), serve.Listen) {
		t.Errorf("without a server: %v", err)
	}
	if c.Connected() {
		t.Error("connected to nothing")
	}
	testServer(t, ServerOptions{Listen: serve.Listen})
	if err := c.WaitConnected(testContext(t)); err != nil {
		t.Error(err)
	}
	mustSetup(t, c)
}

// A connection can break while the server lives on and still holds the requests
// made over it. They must not deliver on top of the new ones.
func TestReconnectVoidsOpenRequests(t *testing.T) {
	t.Parallel()
	s := testServer(t, ServerOptions{Listen: "127.0.0.1:0"})
	o := testOptions(nil)
	o.URL = s.URL()
	c := testConnect(t, o)
	mustSetup(t, c)
	q := testLane(t, c, time.Hour)
	fetchNone(t, q) // leaves a request for ten
	if err := c.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the request is forgotten", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.owed == 0 && c.Connected() })
	send(t, testConnect(t, testOptions(s)), 5)
	fetch(t, q, 1)
	if n, err := out(t, q); err != nil || n != 1 {
		t.Errorf("%d messages are out, 1 was asked for; error %v", n, err)
	}
	fetch(t, q, 4)
}

func TestDrainGivesBack(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	leaving := testConnect(t, c.opts)
	q := testLane(t, leaving, time.Hour)
	fetchNone(t, q)
	send(t, c, 2)
	eventually(t, "messages arrive", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return len(q.buffer) == 2 })
	if err := leaving.Drain(testContext(t)); err != nil {
		t.Fatal(err)
	}
	for _, m := range fetch(t, testLane(t, c, time.Hour), 2) {
		if m.Deliveries() != 2 {
			t.Errorf("message %d: delivery %d", m.Sequence(), m.Deliveries())
		}
	}
}

func TestConnectRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	seed := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(seed, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		options Options
	}{
		{"no URL", Options{}},
		{"URL with a password", Options{URL: "nats://me:hunter2@host:port"}},
		{"empty host", Options{URL: "nats://ok:4222,nats://"}},
		{"no seed file", Options{URL: "nats://127.0.0.1:1", NKeySeedFile: "/nowhere"}},
		{"bad seed", Options{URL: "nats://127.0.0.1:1", NKeySeedFile: seed}},
		{"no CA", Options{URL: "nats://127.0.0.1:1", CA: "/nowhere"}},
		{"no certificate", Options{URL: "nats://127.0.0.1:1", Cert: "/nowhere", Key: "/nowhere"}},
	}
	for _, tt := range tests {
		tt.options.Password = secret.New("hunter2")
		c, err := Connect(testContext(t), tt.options)
		if err == nil {
			c.Close()
			t.Errorf("%s: connected", tt.name)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the secret: %v", tt.name, err)
		}
	}
}
