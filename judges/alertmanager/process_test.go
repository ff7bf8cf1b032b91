package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/freeport"
)

// patience bounds every wait of a test; none of them takes it when all is well.
const patience = 90 * time.Second

const repository = "../.."

// binaries are the programs, built once.
var binaries = sync.OnceValues(func() (map[string]string, error) {
	dir, err := os.MkdirTemp("", "sluice-alertmanager-")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, from := range map[string][2]string{
		"consumer":     {repository, "./cmd/consumer"},
		"alertmanager": {".", "github.com/prometheus/alertmanager/cmd/alertmanager"},
	} {
		out[name] = filepath.Join(dir, name)
		build := exec.Command("go", "build", "-o", out[name], from[1])
		build.Dir = from[0]
		if text, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w: %s", name, err, text)
		}
	}
	return out, nil
})

// process is a running program.
type process struct {
	cmd   *exec.Cmd
	log   *lockedBuffer
	ended chan struct{}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	paths, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	p := &process{cmd: exec.CommandContext(ctx, paths[name], args...), log: &lockedBuffer{}, ended: make(chan struct{})}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	go func() {
		defer cancel()
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s:\n%s", name, p.log)
		}
	})
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// eventually polls for what another process does in its own time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s did not happen", what)
}

// get reads a page; empty if there is nobody.
func get(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(raw)
}

// site is the program with emulated clouds, as docs/feeding.md configures it.
type site struct {
	t                        *testing.T
	dir, clouds, web, intake string
	config, token            string
	consumer                 *process
}

// example takes a file out of the document on feeding.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs/feeding.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n# " + regexp.QuoteMeta(name) + "\n(.*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatalf("docs/feeding.md has no %s", name)
	}
	return string(found[1])
}

// replace changes what is different here; what is not there is a mistake.
func replace(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the example has no %q:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), clouds: freeport.Address(t), web: freeport.Address(t), intake: freeport.Address(t)}
	s.token, s.config = filepath.Join(s.dir, "token"), filepath.Join(s.dir, "sluice.yaml")
	s.write(s.token, "a-token-of-the-test\n")
	text := replace(t, example(t, "sluice.yaml"),
		"0.0.0.0:8081", s.intake, "/etc/sluice/am-token", s.token,
		`"${VOLC_AK}"`, "emulator-key", `"${VOLC_SK}"`, "emulator-secret",
		"regions: [cn-beijing]\n", fmt.Sprintf("regions: [cn-beijing]\n    endpoint: http://%s\n    track: {interval: 300ms}\n", s.clouds))
	text += fmt.Sprintf("\nnats: {embedded: {storeDir: %q, listen: %q, sync: 1s}}\nhttp: {listen: %q}\nlease: {ttl: 2s}\n", filepath.Join(s.dir, "nats"), freeport.Address(t), s.web)
	s.write(s.config, text)
	start(t, "consumer", "emulate", "--listen", s.clouds)
	eventually(t, "the clouds", func() bool { return get("http://"+s.clouds+"/_emulator/calls") != "" })
	s.run()
	return s
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run starts the consumer.
func (s *site) run() {
	s.t.Helper()
	s.consumer = start(s.t, "consumer", "run", "--config", s.config)
	eventually(s.t, "the consumer to be ready", func() bool { return get("http://"+s.web+"/readyz") != "" })
}

// restarts counts the calls that reached the cloud, by instance.
func (s *site) restarts() map[string]int {
	s.t.Helper()
	var page struct {
		Calls []struct{ Instances []string }
	}
	if err := json.Unmarshal([]byte(get("http://"+s.clouds+"/_emulator/calls?mutations=true")), &page); err != nil {
		s.t.Fatal(err)
	}
	out := map[string]int{}
	for _, c := range page.Calls {
		for _, instance := range c.Instances {
			out[instance]++
		}
	}
	return out
}

// once waits until every instance was restarted and checks that none was twice.
func (s *site) once(instances ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the restart of %v", instances), func() bool { return len(s.restarts()) == len(instances) })
	for _, instance := range instances {
		if n := s.restarts()[instance]; n != 1 {
			s.t.Errorf("%s was restarted %d times", instance, n)
		}
	}
}

// metric is a number of a metrics page; 0 if it is not there.
func metric(page, series string) (value float64) {
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			_, _ = fmt.Sscan(rest, &value)
		}
	}
	return value
}

// accepted counts the alerts that the intake has taken, repeats included.
func (s *site) accepted() float64 {
	return metric(get("http://"+s.web+"/metrics"), `sluice_intake_alerts_total{outcome="accepted",route="redis-hung"}`)
}
