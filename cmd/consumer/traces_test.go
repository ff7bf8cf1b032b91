package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// withTraces starts the daemon with a collector at the URL.
func (d *daemon) withTraces(url string) {
	d.t.Helper()
	cmd := program(d.t, "run", "--config", d.config)
	cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_BSP_SCHEDULE_DELAY=10", "OTEL_EXPORTER_OTLP_HEADERS=key=Marked-Header-1")
	d.launch(cmd)
}

// openMetrics are the metrics as Prometheus asks for them.
func (d *daemon) openMetrics() string {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, "http://"+d.http+"/metrics", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(body)
}

// A collector that never answers delays neither commands nor the exit, and the log
// stays readable.
func TestCollectorThatHangs(t *testing.T) {
	t.Parallel()
	_, url := cloud(t)
	release := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(collector.Close)
	t.Cleanup(func() { close(release) })
	d := newDaemon(t, url, "")
	d.withTraces(collector.URL)
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, token := range []string{"one", "two", "three"} {
		results, code := d.send(append([]string{"restart", "redis-" + token, "--token", token, "--traceparent", parent}, volcFlags...)...)
		if code != 0 || len(results) != 1 {
			t.Errorf("%s: exit %d, %+v", token, code, results)
		}
	}
	if text := d.openMetrics(); !strings.Contains(text, `# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"}`) {
		t.Errorf("no histogram has the trace for an example:\n%s", text)
	}
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.ended:
	case <-time.After(time.Minute):
		t.Fatal("the consumer does not exit")
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the exit took %v", took)
	}
	log := d.log.String()
	if n := strings.Count(log, "traces are not taken") + strings.Count(log, "last traces were not sent"); n < 1 || n > 2 {
		t.Errorf("the log complains %d times:\n%s", n, log)
	}
	if strings.Contains(log, "Marked-Header-1") {
		t.Error("the log has the header")
	}
	if !strings.Contains(log, "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=") {
		t.Errorf("no line of the log has the trace's id:\n%s", log)
	}
	if !strings.Contains(log, "gomaxprocs=") || !strings.Contains(log, "gomemlimit=none") {
		t.Errorf("the line ready does not say which limits are in effect:\n%s", log)
	}
}

// Without traces a line of the log has the publisher's trace all the same.
func TestTraceInTheLogWithoutTraces(t *testing.T) {
	t.Parallel()
	_, url := cloud(t)
	d := newDaemon(t, url, "")
	d.start()
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	d.send(append([]string{"restart", "redis-quiet", "--token", "quiet", "--traceparent", parent}, volcFlags...)...)
	d.kill()
	if log := d.log.String(); !strings.Contains(log, "trace_id=4bf92f3577b34da6a3ce929d0e0e4736") || strings.Contains(log, "span_id=") {
		t.Errorf("the log:\n%s", log)
	}
}

// Variables that cannot be followed are an error of the configuration.
func TestProtocolThatIsNotSpoken(t *testing.T) {
	t.Parallel()
	_, url := cloud(t)
	d := newDaemon(t, url, "")
	cmd := program(t, "run", "--config", d.config)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	if _, stderr, code := exited(t, cmd); code != 2 || !strings.Contains(stderr, "http/protobuf") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
