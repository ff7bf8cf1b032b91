package telemetry

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/seed-7b870224/sluice/internal/dispatch"
	"github.com/seed-7b870224/sluice/internal/events"
)

// receiver takes spans as a collector does.
type receiver struct {
	mu      sync.Mutex
	headers http.Header
	spans   []*tracev1.Span
	about   map[string]string // of the process
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var m coltrace.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &m)
	}
	if err != nil || req.URL.Path != "/v1/traces" {
		http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.headers, r.about = req.Header, map[string]string{}
	for _, rs := range m.GetResourceSpans() {
		for _, a := range rs.GetResource().GetAttributes() {
			r.about[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, ss := range rs.GetScopeSpans() {
			r.spans = append(r.spans, ss.GetSpans()...)
		}
	}
}

// environment is the process's for one test, which cannot be parallel: the SDK reads
// the process's own.
func environment(t *testing.T, vars map[string]string) func(string) string {
	t.Helper()
	for k, v := range vars {
		t.Setenv(k, v)
	}
	return func(name string) string { return vars[name] }
}

func TestTracesReachTheCollector(t *testing.T) {
	r := &receiver{}
	s := httptest.NewServer(r)
	defer s.Close()
	var log bytes.Buffer
	env := environment(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20sentinel-header",
		"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
	})
	tracing, err := StartTracing(t.Context(), "v1", "replica-1", env, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	began := time.Now()
	span := tracing.Tracer().Begin(events.Trace{Parent: parent, State: "a=b"}, "seed", "process", began)
	child := span.Child(dispatch.SpanClient, "Restart", began)
	child.Set(slog.Int("http.response.status_code", 200), slog.Bool("yes", true), slog.String("s", "t"))
	child.Link(span)
	child.Fail("why")
	child.End(began.Add(time.Second))
	span.End(began.Add(2 * time.Second))
	for range 2 { // the same event, delivered twice
		tracing.Tracer().Begin(events.Trace{Parent: "nonsense"}, "seed", "process", began).End(began)
	}
	if tracing.Tracer().Begin(events.Trace{Parent: strings.TrimSuffix(parent, "1") + "0"}, "seed", "process", began) != nil {
		t.Error("the publisher does not keep the trace, and we do")
	}
	tracing.Stop(10*time.Second, slog.New(slog.DiscardHandler))
	if len(r.spans) != 4 {
		t.Fatalf("%d spans arrived, not 4", len(r.spans))
	}
	byName := map[string][]*tracev1.Span{}
	for _, s := range r.spans {
		byName[s.GetName()] = append(byName[s.GetName()], s)
	}
	first, call := byName["process"][0], byName["Restart"][0]
	if id := hex.EncodeToString(first.GetTraceId()); id != parent[3:35] || hex.EncodeToString(first.GetParentSpanId()) != parent[36:52] {
		t.Errorf("trace %s, parent %x: not the publisher's", id, first.GetParentSpanId())
	}
	if !bytes.Equal(call.GetParentSpanId(), first.GetSpanId()) || call.GetKind() != tracev1.Span_SPAN_KIND_CLIENT ||
		call.GetStatus().GetMessage() != "why" || len(call.GetLinks()) != 1 || call.GetEndTimeUnixNano()-call.GetStartTimeUnixNano() != 1e9 {
		t.Errorf("the call's span is %v", call)
	}
	a, b := byName["process"][1], byName["process"][2]
	if !bytes.Equal(a.GetTraceId(), b.GetTraceId()) || bytes.Equal(a.GetSpanId(), b.GetSpanId()) || len(a.GetParentSpanId()) != 0 {
		t.Errorf("two deliveries of one event: traces %x and %x, spans %x and %x", a.GetTraceId(), b.GetTraceId(), a.GetSpanId(), b.GetSpanId())
	}
	if r.about["service.name"] != "sluice" || r.about["service.version"] != "v1" || r.about["service.instance.id"] != "replica-1" ||
		r.about["deployment.environment.name"] != "test" {
		t.Errorf("the process is described as %v", r.about)
	}
	if got := r.headers.Get("Authorization"); got != "Bearer sentinel-header" {
		t.Errorf("the collector got the header %q", got)
	}
	if strings.Contains(log.String(), "sentinel") {
		t.Errorf("the log has the header: %s", &log)
	}
}

// Without the variables there is nothing; with wrong ones there is an error that says
// what would be right, and no secret.
func TestOtelVariables(t *testing.T) {
	for _, c := range []struct {
		name string
		vars map[string]string
		on   bool
		err  string // part of it
	}{
		{"none", nil, false, ""},
		{"endpoint", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, true, ""},
		{"endpoint of traces", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c:4318/v1/traces"}, true, ""},
		{"exporter alone", map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, ""},
		{"exporter none", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, false, ""},
		{"disabled", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "TRUE"}, false, ""},
		{"another exporter", map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, false, "use otlp or none"},
		{"metrics only", map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1"}, false, ""},
		{"http/protobuf", map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, true, ""},
		{"grpc", map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "OTEL_EXPORTER_OTLP_PROTOCOL"},
		{"grpc for traces", map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, false, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"},
		{"no URL", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "sentinel-collector:4318"}, false, "http://collector:4318"},
		{"malformed header", map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_HEADERS": "a=b,sentinel-token"}, false, "part 2"},
		{"sampled by nobody", map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "always_off"}, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			tracing, err := StartTracing(t.Context(), "v1", "r", environment(t, c.vars), slog.New(slog.NewTextHandler(&log, nil)))
			defer tracing.Stop(time.Second, slog.New(slog.DiscardHandler))
			switch {
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, which does not say %q", err, c.err)
			case c.err == "" && err != nil:
				t.Error(err)
			case (tracing != nil) != c.on:
				t.Errorf("traces are sent: %v", tracing != nil)
			}
			if strings.Contains(fmt.Sprint(err)+log.String(), "sentinel") {
				t.Errorf("a value is printed: %v %s", err, &log)
			}
			if c.vars["OTEL_TRACES_SAMPLER"] != "" && tracing.Tracer().Begin(events.Trace{}, "s", "n", time.Now()) != nil {
				t.Error("a span that the sampler drops")
			}
		})
	}
}

// Nothing runs where nothing is traced.
func TestNoTracesNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	tracing, err := StartTracing(t.Context(), "v1", "r", func(string) string { return "" }, slog.New(slog.DiscardHandler))
	if err != nil || tracing != nil {
		t.Fatalf("%v, %v", tracing, err)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, before %d", after, before)
	}
}

// A collector that never answers, refuses, or is not there costs nobody time, and the
// log a line.
func TestCollectorInTrouble(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	echoing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "who are you, "+r.Header.Get("Authorization")+"?", http.StatusUnauthorized)
	}))
	defer echoing.Close()
	for name, url := range map[string]string{"hanging": hanging.URL, "refusing": echoing.URL, "away": "http://127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			env := environment(t, map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20sentinel-header",
				"OTEL_BSP_SCHEDULE_DELAY": "1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16",
			})
			tracing, err := StartTracing(t.Context(), "v1", "r", env, logger)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			const spans = 20_000
			for i := range spans {
				s := tracing.Tracer().Begin(events.Trace{}, fmt.Sprint(i), "process", began)
				s.Child(dispatch.SpanInternal, "claim", began).End(began)
				s.End(began)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%d spans took %v", spans, took)
			}
			stopping := time.Now()
			tracing.Stop(500*time.Millisecond, logger)
			if took := time.Since(stopping); took > 5*time.Second {
				t.Errorf("stopping took %v", took)
			}
			text := log.String()
			if n := strings.Count(text, "\n"); n > 3 {
				t.Errorf("the log has %d lines:\n%s", n, text)
			}
			if strings.Contains(text, "sentinel") {
				t.Errorf("the log has the header:\n%s", text)
			}
			if name == "refusing" && !strings.Contains(text, "traces are not taken") {
				t.Errorf("the log does not say that the collector refuses:\n%s", text)
			}
		})
	}
}

// syncBuffer may be written and read from several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var _ dispatch.Tracer = (*Tracer)(nil)

// The SDK's log may hold values of variables; only its messages pass.
func TestMessagesOnly(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	l := slog.New(messagesOnly{slog.NewTextHandler(&log, nil)})
	l.ErrorContext(context.Background(), "parse headers", "input", "sentinel", "file", "/ca.pem")
	l.Info("sentinel")
	if got := log.String(); !strings.Contains(got, "parse headers") || !strings.Contains(got, "/ca.pem") || strings.Contains(got, "sentinel") {
		t.Errorf("the log has %s", got)
	}
}
