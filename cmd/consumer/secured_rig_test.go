package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/secret"
)

// securedFile is the configuration that people copy.
const securedFile = "../../examples/nats-security/nats-server.conf"

// passwords is what the environment of the server holds. One is a hash, as the file
// recommends: of its user's password, which is the user's name and "-pass" like all.
var passwords = sync.OnceFunc(func() {
	for _, user := range []string{"sys", "alerting", "batch", "watcher", "operator"} {
		_ = os.Setenv(strings.ToUpper(user)+"_PASSWORD", user+"-pass")
	}
	_ = os.Setenv("CONSUMER_PASSWORD", `"$2a$04$wvMjDBdi40KR1KHCeEfLRuvQi0fd9GC/OWV0KnrSB6vUPufm7.XOm"`)
})

// secured is a server that runs with the file, and what it says of refusals.
type secured struct {
	t    *testing.T
	ns   *server.Server
	opts *server.Options
	url  string

	mu       sync.Mutex
	refusals []string
	refused  chan struct{} // closed with the first
}

// startSecured runs a server with the file, on a port of its own. alter may change
// what one user is allowed.
func startSecured(t *testing.T, alter func(user string, p *server.Permissions)) *secured {
	t.Helper()
	s := &secured{t: t, refused: make(chan struct{})}
	opts := securedOptions(t)
	opts.Port, opts.NoSigs, opts.NoLog = server.RANDOM_PORT, true, false
	for _, u := range opts.Users {
		if alter != nil {
			alter(u.Username, u.Permissions)
		}
	}
	// The test's own hand, for what nobody of the file may do.
	i := slices.IndexFunc(opts.Accounts, func(a *server.Account) bool { return a.Name == "SLUICE" })
	opts.Users = append(opts.Users, &server.User{Username: "test", Password: "test-pass", Account: opts.Accounts[i]})
	s.opts = opts
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

// securedEnvironment guards the variable that differs from server to server.
var securedEnvironment sync.Mutex

// securedOptions reads the file, for a store of its own.
func securedOptions(t *testing.T) *server.Options {
	t.Helper()
	passwords()
	securedEnvironment.Lock()
	defer securedEnvironment.Unlock()
	_ = os.Setenv("NATS_STORE_DIR", t.TempDir())
	opts, err := server.ProcessConfigFile(securedFile)
	if err != nil {
		t.Fatal(err)
	}
	return opts
}

func (s *secured) start() {
	s.t.Helper()
	ns, err := server.NewServer(s.opts)
	if err != nil {
		s.t.Fatal(err)
	}
	ns.SetLoggerV2(s, false, false, false)
	ns.Start()
	if !ns.ReadyForConnections(20 * time.Second) {
		s.t.Fatal("the server is not ready")
	}
	s.ns, s.url = ns, ns.ClientURL()
}

func (s *secured) stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// restart is what an upgrade of the server looks like.
func (s *secured) restart() {
	s.t.Helper()
	port := s.ns.Addr().String()
	s.stop()
	s.opts.Port = portOf(s.t, port)
	s.start()
}

func portOf(t *testing.T, address string) (port int) {
	t.Helper()
	if _, err := fmt.Sscanf(address[strings.LastIndex(address, ":"):], ":%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}

// Errorf is where the server tells of refusals.
func (s *secured) Errorf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	if !strings.Contains(line, "Violation") && !strings.Contains(line, "authentication error") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusals = append(s.refusals, line); len(s.refusals) == 1 {
		close(s.refused)
	}
}

func (s *secured) Noticef(string, ...any) {}
func (s *secured) Warnf(string, ...any)   {}
func (s *secured) Fatalf(string, ...any)  {}
func (s *secured) Debugf(string, ...any)  {}
func (s *secured) Tracef(string, ...any)  {}

// told is what the server has refused so far.
func (s *secured) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refusals)
}

// login writes a configuration with which a user's commands reach the server.
func (s *secured) login(user string) string {
	s.t.Helper()
	return file(s.t, user+".yaml", fmt.Sprintf("nats: {url: %q, user: %s, password: %s-pass}\n", s.url, user, user))
}

// connect is a plain connection of a user's, for what no command does.
func (s *secured) connect(user string, options ...nats.Option) *nats.Conn {
	s.t.Helper()
	nc, err := nats.Connect(s.url, append(options, nats.UserInfo(user, user+"-pass"), nats.CustomInboxPrefix("_INBOX."+user))...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	return nc
}

// publish stores a message as a user, on any subject.
func (s *secured) publish(ctx context.Context, user, subject, data string) error {
	conn, err := broker.Connect(ctx, broker.Options{URL: s.url, User: user, Password: secret.New(user + "-pass")})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.WaitConnected(ctx); err != nil {
		return err
	}
	return conn.Publish(ctx, broker.Outgoing{Subject: subject, Data: []byte(data)})
}

// neglect makes all five streams need an update.
func (s *secured) neglect(ctx context.Context) error {
	js, err := jetstream.New(s.connect("test"))
	if err != nil {
		return err
	}
	for _, name := range []string{"SLUICE_COMMANDS", "SLUICE_RESULTS", "SLUICE_DEADLETTERS", "KV_sluice_ledger", "KV_sluice_leases"} {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			return err
		}
		cfg := stream.CachedInfo().Config
		cfg.AllowDirect = false
		if _, err := js.UpdateStream(ctx, cfg); err != nil {
			return err
		}
	}
	return nil
}

// logBuffer is a log that several goroutines write.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// replica is a consumer in this process.
type replica struct {
	consumer *consumer
	stop     context.CancelFunc
	ended    chan error
}

// consume starts a replica and returns when it is ready or has given up.
func (s *secured) consume(ctx context.Context, clouds string, log io.Writer) (*replica, error) {
	text := fmt.Sprintf(`
nats: {url: %q, user: consumer, password: consumer-pass}
http: {listen: "127.0.0.1:0"}
lease: {ttl: 2s}
intake: {listen: "127.0.0.1:0", publishers: [{name: am, token: sesame, allow: [restart]}]}
accounts:
  - name: prod
    vendor: volcengine
    regions: [cn-beijing]
    credentials: {accessKey: emulator-key, secretKey: emulator-secret}
    endpoint: %q
    track: {interval: 100ms}
`, s.url, clouds)
	conf, err := config.Parse("sluice.yaml", []byte(text), config.Options{Catalog: catalog(), Env: func(string) (string, bool) { return "", false }})
	if err != nil {
		return nil, err
	}
	c, err := newConsumer(ctx, conf, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		return nil, err
	}
	serving, stop := context.WithCancel(ctx)
	r := &replica{c, stop, make(chan error, 1)}
	go func() { r.ended <- c.serve(serving) }()
	for !c.prepared.Load() {
		select {
		case err := <-r.ended:
			stop()
			c.close()
			return nil, errors.Join(errors.New("the consumer gave up"), err)
		case <-ctx.Done():
			r.end(ctx)
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return r, nil
}

// end stops a replica as SIGTERM does. When the test is over it does not wait: what
// the server refuses would be tried as long as draining may take.
func (r *replica) end(ctx context.Context) {
	r.stop()
	if ctx.Err() == nil {
		<-r.ended
		r.consumer.close()
		return
	}
	go func() {
		<-r.ended
		r.consumer.close()
	}()
}

// command runs one of the program's commands to its end.
func (s *secured) command(ctx context.Context, config string, args ...string) outcome {
	var out, errs bytes.Buffer
	code := run(ctx, append(args, "--config", config), std{strings.NewReader(""), &out, &errs})
	return outcome{code, out.String(), errs.String()}
}

// subjectMatches reports whether a pattern with wildcards covers a subject.
func subjectMatches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		switch {
		case token == ">":
			return len(s) > i
		case i >= len(s), token != "*" && token != s[i]:
			return false
		}
	}
	return len(p) == len(s)
}
