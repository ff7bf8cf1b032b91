package collector

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/seed-7b870224/sluice/internal/freeport"
)

// The secrets that go in and must not come out.
const (
	password = "sentinel-password-4711"
	header   = "sentinel-header-0815"
	key      = "emulator-secret"
)

// built is the program, built once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sluice-judge")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "consumer")
	out, err := exec.Command("go", "build", "-C", "../..", "-o", file, "./cmd/consumer").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// rig is a consumer that sends its traces to a collector's receiver.
type rig struct {
	t              *testing.T
	sink           *consumertest.TracesSink
	collector      string
	clouds         string
	config         string
	nats, web, dir string
	cmd            *exec.Cmd
	log            *syncBuffer
	ended          chan struct{}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, sink: &consumertest.TracesSink{}, nats: freeport.Address(t), web: freeport.Address(t), dir: t.TempDir()}
	r.receive()
	r.emulate()
	r.configure()
	r.start()
	return r
}

// receive starts the collector's receiver.
func (r *rig) receive() {
	r.t.Helper()
	addr := freeport.Address(r.t)
	factory := otlpreceiver.NewFactory()
	conf := factory.CreateDefaultConfig()
	err := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": addr}}}).Unmarshal(conf)
	if err != nil {
		r.t.Fatal(err)
	}
	receiver, err := factory.CreateTraces(r.t.Context(), receivertest.NewNopSettings(factory.Type()), conf, r.sink)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := receiver.Start(r.t.Context(), componenttest.NewNopHost()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = receiver.Shutdown(r.t.Context()) })
	r.collector = "http://" + addr
}

// emulate starts the emulated clouds as a process.
func (r *rig) emulate() {
	r.t.Helper()
	cmd := r.program("emulate", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		r.t.Fatal(err)
	}
	r.clouds, _, _ = strings.Cut(strings.TrimPrefix(line, "emulated clouds on "), " ")
}

func (r *rig) configure() {
	r.t.Helper()
	secrets := filepath.Join(r.dir, "secrets")
	r.config = filepath.Join(r.dir, "sluice.yaml")
	text := fmt.Sprintf(`
nats: {embedded: {storeDir: %q, listen: %q}}
http: {listen: %q}
log: {level: debug}
lease: {ttl: 2s}
secrets: {dir: %q}
accounts:
  - name: prod
    vendor: volcengine
    regions: [cn-beijing]
    credentials: {accessKey: emulator-key, secretKey: %s}
    endpoint: %q
    allow: [restart]
    track: {interval: 300ms}
  - name: crs
    vendor: tencent-crs
    regions: [gz]
    credentials: {secretId: emulator-key, secretKey: %s}
    endpoint: %q
    allow: [flush]
    track: {interval: 300ms}
`, filepath.Join(r.dir, "nats"), r.nats, r.web, secrets, key, r.clouds, key, r.clouds)
	for _, err := range []error{
		os.Mkdir(secrets, 0o700), os.WriteFile(filepath.Join(secrets, "pw"), []byte(password), 0o600), os.WriteFile(r.config, []byte(text), 0o600),
	} {
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// program is the consumer with arguments.
func (r *rig) program(args ...string) *exec.Cmd {
	r.t.Helper()
	file, err := built()
	if err != nil {
		r.t.Fatal(err)
	}
	return exec.CommandContext(r.t.Context(), file, args...)
}

// start runs the consumer until it is ready.
func (r *rig) start() {
	r.t.Helper()
	r.cmd = r.program("run", "--config", r.config)
	r.cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+r.collector, "OTEL_EXPORTER_OTLP_HEADERS=x-key="+header,
		"OTEL_BSP_SCHEDULE_DELAY=200")
	r.log = &syncBuffer{}
	r.cmd.Stderr = r.log
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	r.ended = ended
	cmd := r.cmd
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	r.t.Cleanup(r.kill)
	r.eventually("ready", func() bool {
		resp, err := http.Get("http://" + r.web + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill ends the consumer without a chance to say goodbye.
func (r *rig) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
}

// stop ends it as Kubernetes does.
func (r *rig) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-r.ended:
	case <-time.After(15 * time.Second):
		r.t.Fatalf("the consumer did not exit within 15 s:\n%s", r.log)
	}
}

// eventually polls for what a process does in its own time.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	r.t.Fatalf("%s did not happen:\n%s", what, r.log)
}

// result is what a test looks at of a result event.
type result struct {
	Traceparent string `json:"traceparent"`
	Data        struct {
		Status  string `json:"status"`
		Final   bool   `json:"final"`
		Command struct {
			ID     string `json:"id"`
			Source string `json:"source"`
		} `json:"command"`
	} `json:"data"`
}

// send sends a command and returns its results; it waits for the final one.
func (r *rig) send(args ...string) []result {
	r.t.Helper()
	var out, said bytes.Buffer
	cmd := r.program(append([]string{"send", "--nats-url", "nats://" + r.nats, "--wait", "--timeout", "60s", "--output", "json"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	_ = cmd.Run()
	var results []result
	for line := range strings.Lines(out.String()) {
		var one result
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			r.t.Fatalf("send printed %q: %v", line, err)
		}
		results = append(results, one)
	}
	if len(results) == 0 {
		r.t.Fatalf("no result: %s\n%s", &said, r.log)
	}
	return results
}

// fault sets one at the emulated clouds.
func (r *rig) fault(json string) {
	r.t.Helper()
	resp, err := http.Post(r.clouds+"/_emulator/faults", "application/json", strings.NewReader(json))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		r.t.Fatalf("fault: %s", resp.Status)
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

// delete clears faults.
func (r *rig) delete(url string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodDelete, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	resp.Body.Close()
}
