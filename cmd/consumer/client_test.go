package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// testBroker is an embedded broker with one account of each of two vendors, and a
// connection of its own.
type testBroker struct {
	t    *testing.T
	url  string
	conn *broker.Conn
}

func startBroker(t *testing.T) *testBroker {
	t.Helper()
	server, err := broker.StartServer(broker.ServerOptions{Temporary: true, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	conn, err := broker.Connect(t.Context(), broker.Options{
		Server:   server,
		Accounts: []broker.AccountSubject{{Vendor: "volcengine", Account: "prod"}, {Vendor: "huawei", Account: "hw"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := conn.WaitConnected(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &testBroker{t, server.URL(), conn}
}

// answer serves a lane until the test ends: every command is answered with the
// results that f makes of it.
func (b *testBroker) answer(lane events.Lane, f func(events.Command) []events.Result) {
	b.t.Helper()
	subjects := events.Subjects{Prefix: "sluice"}
	queue, err := b.conn.Lane(b.t.Context(), broker.LaneSpec{Subject: subjects.Lane(lane), AckWait: time.Minute, MaxPending: 10})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			messages, _ := queue.Fetch(ctx, 10, time.Minute)
			for _, m := range messages {
				b.settle(m, f)
			}
		}
	}()
	b.t.Cleanup(func() { stop(); <-ended })
}

// settle answers one message.
func (b *testBroker) settle(m broker.Message, f func(events.Command) []events.Result) {
	env, err := events.Open(m.Header(), m.Data())
	if err != nil {
		b.t.Errorf("the command cannot be opened: %v", err)
		return
	}
	cmd, why := events.Parse(env, m.Received())
	if why != nil {
		b.t.Errorf("the command is refused: %v", why)
		return
	}
	for _, r := range f(cmd) {
		b.publish(cmd, r)
	}
	if err := m.Ack(context.Background()); err != nil {
		b.t.Errorf("acknowledge: %v", err)
	}
}

// publish stores a result.
func (b *testBroker) publish(cmd events.Command, r events.Result) {
	msg, err := events.Encode(events.Subjects{Prefix: "sluice"}, cmd, r, r.Duplicate, time.Now())
	if err != nil {
		b.t.Error(err)
		return
	}
	err = b.conn.Publish(context.Background(), broker.Outgoing{Subject: msg.Subject, ID: msg.ID, Header: msg.Header, Data: msg.Data})
	if err != nil {
		b.t.Error(err)
	}
}

// stored returns the commands waiting on a subject, by the broker's count.
func (b *testBroker) stored(subject string) uint64 {
	b.t.Helper()
	waiting, err := b.conn.Waiting(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return waiting[subject]
}

// outcome is what a run of the program left.
type outcome struct {
	code     int
	out, err string
}

// consumerWith runs the program in this process.
func consumerWith(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, std{strings.NewReader(stdin), &out, &errs})
	return outcome{code, out.String(), errs.String()}
}

// want compares exit code and standard output, and requires parts of standard
// error; with none of them it must be empty.
func (o outcome) want(t *testing.T, code int, out string, errParts ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d", o.code, code)
	}
	if o.out != out {
		t.Errorf("standard output:\n%s\nwant:\n%s", o.out, out)
	}
	if len(errParts) == 0 && o.err != "" {
		t.Errorf("standard error:\n%s\nwant none", o.err)
	}
	for _, part := range errParts {
		if !strings.Contains(o.err, part) {
			t.Errorf("standard error:\n%s\nlacks %q", o.err, part)
		}
	}
}

// stopAfter is a standard output that ends the run after so many lines.
type stopAfter struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	lines int
	stop  context.CancelFunc
}

func (w *stopAfter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(p)
	if bytes.Count(w.buf.Bytes(), []byte("\n")) >= w.lines {
		w.stop()
	}
	return n, err
}

// count is how many lines there are.
func (w *stopAfter) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Count(w.buf.Bytes(), []byte("\n"))
}

// file writes a file for the test and returns its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestClientSaysWhereTheBrokerIsMissing(t *testing.T) {
	t.Parallel()
	bad := consumerWith(t, "", "status", "T", "--nats-url", "http://127.0.0.1:1")
	if bad.code != exitUsage {
		t.Errorf("a URL of another scheme: exit code %d, want %d\n%s", bad.code, exitUsage, bad.err)
	}
	gone := consumerWith(t, "", "status", "T", "--nats-url", "nats://127.0.0.1:1")
	gone.want(t, exitFailure, "", "no connection to the broker at nats://127.0.0.1:1 within 5s: ", "--nats-url, SLUICE_NATS_URL or --config")
}

func TestEmbeddedURL(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:4222": "nats://127.0.0.1:4222", ":4222": "nats://127.0.0.1:4222",
		"0.0.0.0:1": "nats://127.0.0.1:1", "[::]:1": "nats://127.0.0.1:1", "10.0.0.7:1": "nats://10.0.0.7:1",
	} {
		if got := embeddedURL(listen); got != want {
			t.Errorf("embeddedURL(%q) = %q, want %q", listen, got, want)
		}
	}
}

// The configuration's broker is used, and a flag goes before it.
func TestClientConfig(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	conf := file(t, "sluice.yaml", "nats: {url: \""+b.url+"\"}\n")
	consumerWith(t, "", "status", "nobody", "--config", conf).want(t, exitFailure, "", `token "nobody" is unknown`)
	wrong := file(t, "wrong.yaml", "nats: {url: \"nats://127.0.0.1:1\"}\n")
	consumerWith(t, "", "--nats-url", b.url, "status", "nobody", "--config", wrong).want(t, exitFailure, "", `token "nobody" is unknown`)
	consumerWith(t, "", "status", "--nats-url", b.url, "nobody", "--config", wrong).want(t, exitFailure, "", `token "nobody" is unknown`)
	broken := file(t, "broken.yaml", "nats: {uri: x}\n")
	consumerWith(t, "", "status", "nobody", "--config", broken).want(t, exitUsage, "", broken+":1:8: ")
}
