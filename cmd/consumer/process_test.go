package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/freeport"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// binary builds the program once for all tests that need a real process.
var binary = sync.OnceValues(func() (string, error) { return build("-race") })

// build builds the program with flags and returns its path.
func build(flags ...string) (string, error) {
	dir, err := os.MkdirTemp("", "sluice-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "consumer")
	args := append(append([]string{"build", "-o", path}, flags...), ".")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %v: %w: %s", flags, err, out)
	}
	return path, nil
}

// program prepares a process that sees nothing of this one's environment.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return isolated(t, path, 2*time.Minute, args...)
}

// isolated prepares a process of a built program that ends within the limit and
// sees nothing of this one's environment.
func isolated(t *testing.T, path string, limit time.Duration, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()}
	return cmd
}

// exited runs a process to its end.
func exited(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// daemon is `consumer run` as a process.
type daemon struct {
	t          *testing.T
	cmd        *exec.Cmd
	config     string
	nats, http string
	// flags are given to run besides the configuration.
	flags []string
	log   *bytes.Buffer
	ended chan struct{}
}

// newDaemon writes a configuration for the emulated clouds.
func newDaemon(t *testing.T, clouds, extra string) *daemon {
	t.Helper()
	d := &daemon{t: t, nats: freeport.Address(t), http: freeport.Address(t)}
	d.config = filepath.Join(t.TempDir(), "sluice.yaml")
	text := fmt.Sprintf(`
nats: {embedded: {storeDir: %q, listen: %q}}
http: {listen: %q}
log: {level: debug}
lease: {ttl: 2s}
%s
accounts:
  - name: prod
    vendor: volcengine
    regions: [cn-beijing]
    credentials: {accessKey: emulator-key, secretKey: emulator-secret}
    endpoint: %q
    allow: [restart, flush, restore]
    track: {interval: 300ms}
  - name: crs
    vendor: tencent-crs
    regions: [gz]
    credentials: {secretId: emulator-key, secretKey: emulator-secret}
    endpoint: %q
    allow: [flush, restore]
    track: {interval: 300ms}
`, filepath.Join(t.TempDir(), "nats"), d.nats, d.http, extra, clouds, clouds)
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// start runs the process until it is ready.
func (d *daemon) start() {
	d.t.Helper()
	d.launch(program(d.t, append([]string{"run", "--config", d.config}, d.flags...)...))
}

// launch runs a process of the daemon's until it is ready.
func (d *daemon) launch(cmd *exec.Cmd) {
	d.t.Helper()
	d.cmd = cmd
	d.log = &bytes.Buffer{}
	d.cmd.Stderr = d.log
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan struct{})
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait()
	}()
	d.t.Cleanup(d.kill)
	d.eventually("ready", func() bool {
		resp, err := http.Get("http://" + d.http + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill ends the process without a chance to say goodbye.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill()
	<-d.ended
}

// eventually polls for something that a process does in its own time.
func (d *daemon) eventually(what string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
		select {
		case <-d.ended:
			d.t.Fatalf("the consumer ended while waiting for %s:\n%s", what, d.log)
		default:
		}
	}
	d.t.Fatalf("%s did not happen", what)
}

// send runs consumer send against the daemon and returns its result events.
func (d *daemon) send(args ...string) (results []events.ResultEvent, code int) {
	d.t.Helper()
	args = append([]string{"send", "--nats-url", "nats://" + d.nats, "--wait", "--timeout", "60s", "--output", "json"}, args...)
	stdout, stderr, code := exited(d.t, program(d.t, args...))
	for lines := bufio.NewScanner(strings.NewReader(stdout)); lines.Scan(); {
		e, err := events.DecodeResult(lines.Bytes())
		if err != nil {
			d.t.Fatalf("send printed %q: %v", lines.Text(), err)
		}
		if e.Data.Final {
			results = append(results, e)
		}
	}
	if len(results) == 0 {
		d.t.Logf("send says: %s", stderr)
	}
	return results, code
}

// cloud listens with emulated clouds.
func cloud(t *testing.T) (*emulator.Server, string) {
	t.Helper()
	s := emulator.New(emulator.Options{})
	url, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, url
}

var volcFlags = []string{"--vendor", "volcengine", "--account", "prod", "--region", "cn-beijing"}

// It is not parallel: the demonstration bounds its own time, as a person would.
func TestDemoAnswersEverything(t *testing.T) {
	stdout, stderr, code := exited(t, program(t, "demo", "--output", "json"))
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	got := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(stdout)); lines.Scan(); {
		e, err := events.DecodeResult(lines.Bytes())
		if err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if e.Data.Final {
			reason := ""
			if e.Data.Reason != nil {
				reason = "/" + e.Data.Reason.Code
			}
			got[e.CausationID] += e.Data.Status + reason
		}
	}
	want := map[string]string{}
	for i := 1; i <= 13; i++ {
		want[fmt.Sprintf("demo-%02d", i)] = "succeeded"
	}
	for id, answer := range map[string]string{
		"demo-14": "rejected/token_reused", "demo-15": "rejected/operation_unsupported", "demo-16": "rejected/operation_not_allowed",
		"demo-17": "expired/expired", "demo-18": "failed/instance_not_found", "demo-19": "failed/backup_not_found",
		"demo-20": "failed/vendor_refused", "demo-21": "succeeded",
	} {
		want[id] = answer
	}
	for id, answer := range want {
		if got[id] != answer {
			t.Errorf("%s is answered %q, want %q", id, got[id], answer)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d commands answered, want %d", len(got), len(want))
	}
}

func TestRunSendStatusAndDrain(t *testing.T) {
	t.Parallel()
	clouds, url := cloud(t)
	d := newDaemon(t, url, "")
	d.start()
	results, code := d.send(append([]string{"restart", "redis-a", "redis-b", "--token", "t"}, volcFlags...)...)
	if code != 0 || len(results) != 2 {
		t.Fatalf("exit %d, results %+v", code, results)
	}
	results, code = d.send(append([]string{"restart", "redis-a", "--token", "t/redis-a"}, volcFlags...)...)
	if code != 0 || len(results) != 1 || !results[0].Data.Duplicate {
		t.Errorf("duplicate: exit %d, %+v", code, results)
	}
	results, code = d.send(append([]string{"restart", "redis-c", "--token", "t/redis-a"}, volcFlags...)...)
	if code != 1 || len(results) != 1 || results[0].Data.Reason.Code != "token_reused" {
		t.Errorf("reuse: exit %d, %+v", code, results)
	}
	if n := len(clouds.Calls(emulator.Filter{Mutations: true})); n != 2 {
		t.Errorf("%d mutations arrived, want 2", n)
	}
	stdout, _, code := exited(t, program(t, "status", "t/redis-a", "--nats-url", "nats://"+d.nats, "--output", "json"))
	var record map[string]any
	if err := json.Unmarshal([]byte(stdout), &record); err != nil || code != 0 || record["state"] != "final" {
		t.Errorf("status: exit %d, %v: %s", code, err, stdout)
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d after SIGTERM:\n%s", code, d.log)
	}
	if !strings.Contains(d.log.String(), "lease handed back") {
		t.Error("the leases were not handed back")
	}
}

// Killed with work in flight, the consumer goes on where it was: nothing twice,
// nothing lost.
func TestKilledWithWorkInFlight(t *testing.T) {
	t.Parallel()
	clouds, url := cloud(t)
	d := newDaemon(t, url, "")
	d.start()
	instances := []string{"redis-k1", "redis-k2", "redis-k3", "redis-k4", "redis-k5"}
	args := append(append([]string{"send", "restart"}, instances...), volcFlags...)
	if _, stderr, code := exited(t, program(t, append(args, "--token", "k", "--nats-url", "nats://"+d.nats)...)); code != 0 {
		t.Fatalf("send: %s", stderr)
	}
	// Killed between intent and answer, a Volcengine restart may have to stay
	// open until its signature lapses; here the work has been taken.
	records := ledger.Open(d.connect().Ledger(), "test")
	d.eventually("the vendor to take all the work", func() bool {
		for _, instance := range instances {
			e, err := records.Get(t.Context(), events.TokenKey("k/"+instance))
			if err != nil || e.State != ledger.Accepted && e.State != ledger.Final {
				return false
			}
		}
		return true
	})
	d.kill()
	d.start()
	for _, instance := range instances {
		results, code := d.send(append([]string{"restart", instance, "--token", "k/" + instance}, volcFlags...)...)
		if code != 0 || len(results) != 1 || results[0].Data.Status != "succeeded" {
			t.Errorf("%s: exit %d, %+v", instance, code, results)
		}
	}
	for _, e := range clouds.Effects().Effects {
		if e.Count != 1 {
			t.Errorf("%s took effect %d times", e.Instance, e.Count)
		}
	}
}

// Marked secrets go the whole way and must show up nowhere on it.
func TestSecretsStayIn(t *testing.T) {
	t.Parallel()
	const marked = "Marked-Secret-7391"
	clouds, url := cloud(t)
	if _, err := clouds.SetFault(emulator.Fault{
		Kind: emulator.FaultErrorBefore, Vendor: emulator.TencentCRS, Action: "ClearRedis", Instance: "crs-echo",
		Code: "10712", Message: "password " + marked + " is wrong for emulator-secret",
	}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "crs"), []byte(marked+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDaemon(t, url, fmt.Sprintf("secrets: {dir: %q}", dir))
	d.start()
	var seen strings.Builder
	flags := []string{"--vendor", "tencent-crs", "--account", "crs", "--region", "gz", "--password-ref", "crs"}
	for _, instance := range []string{"crs-one", "crs-echo"} {
		results, _ := d.send(append([]string{"flush", instance, "--token", instance}, flags...)...)
		if len(results) != 1 {
			t.Fatalf("%s: %+v", instance, results)
		}
		raw, err := json.Marshal(results[0])
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(raw)
		record, _, _ := exited(t, program(t, "status", instance, "--nats-url", "nats://"+d.nats, "--output", "json"))
		seen.WriteString(record)
	}
	results, _ := d.send(append([]string{"flush", "crs-dry", "--dry-run"}, flags...)...)
	raw, err := json.Marshal(results)
	if err != nil {
		t.Fatal(err)
	}
	seen.Write(raw)
	if !strings.Contains(seen.String(), "[redacted]") {
		t.Error("the plan does not show that there is a password")
	}
	resp, err := http.Get("http://" + d.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	metrics, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	seen.Write(metrics)
	d.kill()
	seen.WriteString(d.log.String())
	for _, s := range []string{marked, "emulator-secret"} {
		if strings.Contains(seen.String(), s) {
			t.Errorf("the secret %q shows in results, ledger, metrics or logs", s)
		}
	}
}

func TestWrongConfigurationExits2(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(file, []byte("nats:\n  prefx: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"run", "--config", file}, {"check", "--config", file}} {
		_, stderr, code := exited(t, program(t, args...))
		if code != 2 || !strings.HasPrefix(stderr, file+":2:3: ") {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
	}
	if _, stderr, code := exited(t, program(t, "rum")); code != 2 || !strings.Contains(stderr, "run") {
		t.Errorf("unknown command: exit %d: %s", code, stderr)
	}
}

// secretsDir holds one instance password, pw.
func secretsDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("demo-Pass1"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
