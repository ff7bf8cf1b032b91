package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors/tencent"
	"github.com/seed-7b870224/sluice/internal/vendors/volcengine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test; none of them takes it when all is well.
const patience = 20 * time.Second

const (
	alertsToken = "alerts-token"
	batchToken  = "batch-token"
)

// rig is an intake on a real broker, whose commands nobody carries out.
type rig struct {
	t        *testing.T
	server   *broker.Server
	conn     *broker.Conn
	handler  *Handler
	url      string
	registry *prometheus.Registry
	log      *logBook
	options  Options
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// newBroker is a fresh server with all streams, and a connection to it.
func newBroker(t *testing.T) (*broker.Server, *broker.Conn) {
	t.Helper()
	server, err := broker.StartServer(broker.ServerOptions{Temporary: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	conn, err := broker.Connect(testContext(t), broker.Options{
		Server: server, LeaseTTL: time.Minute, LedgerRetention: time.Hour,
		Accounts: []broker.AccountSubject{{Vendor: "volcengine", Account: "prod"}, {Vendor: "volcengine", Account: "other"}, {Vendor: "tencent", Account: "tc"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := conn.WaitConnected(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if found, err := conn.Setup(testContext(t)); err != nil || len(found) > 0 {
		t.Fatalf("%v, %v", found, err)
	}
	return server, conn
}

func testAccounts() []dispatch.Account {
	expiry := map[string]time.Duration{"urgent": 15 * time.Minute, "normal": time.Hour, "bulk": 24 * time.Hour}
	return []dispatch.Account{
		{Name: "prod", Facts: volcengine.Facts(), Regions: []string{"cn-beijing"}, Allow: map[string]bool{"restart": true, "restore": true}, Expiry: expiry},
		{Name: "other", Facts: volcengine.Facts(), Regions: []string{"cn-beijing"}, Allow: map[string]bool{"restart": true}, Expiry: expiry},
		{Name: "tc", Facts: tencent.Facts(), Regions: []string{"ap-guangzhou"}, Allow: map[string]bool{"flush": true}, Expiry: expiry},
	}
}

// label is a template that takes a label.
func label(name string) Template {
	return func(a Alert) (string, error) {
		if v, ok := a.Labels[name]; ok {
			return v, nil
		}
		return "", fmt.Errorf("map has no entry for key %q", name)
	}
}

func literal(text string) Template { return func(Alert) (string, error) { return text, nil } }

// newRig starts an intake; change may alter its options.
func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	server, conn := newBroker(t)
	r := &rig{t: t, server: server, conn: conn, registry: prometheus.NewRegistry(), log: &logBook{}}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	signer, err := NewSigner(conn.Ledger(), time.Hour, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.store(testContext(t), 0); err != nil {
		t.Fatal(err)
	}
	signer.stored.Store(true)
	r.options = Options{
		Clients: []Client{
			{Name: "alerts", Token: secret.New(alertsToken), Operations: []string{"restart"}, Accounts: []string{"prod"}},
			{Name: "batch", Token: secret.New(batchToken), Operations: events.Operations()},
		},
		Routes: []Route{{
			Name: "redis-hung", Client: "alerts", Match: map[string]string{"alertname": "RedisHung"},
			Operation: literal("restart"), Vendor: label("cloud"), Account: label("account"), Region: label("region"),
			InstanceID: label("instance_id"), Priority: literal("urgent"),
		}},
		Subjects: events.Subjects{Prefix: "sluice"}, Broker: conn, Check: dispatch.NewChecker(testAccounts(), nil, false),
		Sign: signer.Sign, AlertAge: time.Hour, Metrics: NewMetrics(r.registry), Logger: log,
	}
	if change != nil {
		change(&r.options)
	}
	r.handler = New(r.options)
	web := httptest.NewServer(r.handler)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	r.url = web.URL
	return r
}

// answer is an answer as a client reads it.
type answer struct {
	code   int
	header http.Header
	body   string
	stored []stored
	prob   map[string]any
}

// post sends a body. Headers are pairs; the token is that of the batch publisher
// unless one is given.
func (r *rig) post(path, body string, headers ...string) answer {
	r.t.Helper()
	return r.do(http.MethodPost, path, body, headers...)
}

func (r *rig) do(method, path, body string, headers ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(testContext(r.t), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+batchToken)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	return r.read(http.DefaultClient.Do(req))
}

func (r *rig) read(resp *http.Response, err error) answer {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	a := answer{code: resp.StatusCode, header: resp.Header, body: string(raw)}
	switch resp.Header.Get("Content-Type") {
	case "application/json":
		err = json.Unmarshal(raw, &a.stored)
	case "application/problem+json":
		err = json.Unmarshal(raw, &a.prob)
	default:
		err = fmt.Errorf("content type %q", resp.Header.Get("Content-Type"))
	}
	if err != nil {
		r.t.Fatalf("answer %d %q: %v", a.code, raw, err)
	}
	return a
}

// waiting counts the stored commands by subject.
func (r *rig) waiting() map[string]uint64 {
	r.t.Helper()
	out, err := r.conn.Waiting(testContext(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// total counts all stored commands.
func (r *rig) total() (n uint64) {
	for _, count := range r.waiting() {
		n += count
	}
	return n
}

// first is the oldest stored command of a subject.
func (r *rig) first(subject string) (broker.Message, events.Envelope) {
	r.t.Helper()
	m, err := r.conn.First(testContext(r.t), subject)
	if err != nil {
		r.t.Fatal(err)
	}
	env, err := events.Open(m.Header(), m.Data())
	if err != nil {
		r.t.Fatal(err)
	}
	return m, env
}

// counted is the value of a counter with these label values.
func (r *rig) counted(name string, labels ...string) float64 {
	r.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetValue())
			}
			if strings.Join(have, ",") == strings.Join(labels, ",") {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
