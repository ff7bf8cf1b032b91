package check

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/freeport"
)

// documentedMetrics reads names and labels from the generated reference.
func documentedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	row := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]*) \\|")
	for _, m := range row.FindAllStringSubmatch(mustRead(t, "../../../docs/reference/metrics.md"), -1) {
		found[m[1]] = strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
	}
	if len(found) < 15 {
		t.Fatalf("%d metrics in the reference", len(found))
	}
	return found
}

// knownMetrics are those that may be queried, with their labels: what a running
// consumer shows, and what the reference has beyond, which appears only with use.
func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	documented := documentedMetrics(t)
	known := map[string][]string{}
	for name, labels := range documented {
		known[name] = append(labels, targetLabels...)
		if strings.HasSuffix(name, "_seconds") {
			known[name+"_bucket"] = append([]string{"le"}, known[name]...)
			known[name+"_count"], known[name+"_sum"] = known[name], known[name]
		}
	}
	for name := range scrape(t) {
		if known[name] == nil && !strings.HasPrefix(name, "sluice_") {
			known[name] = targetLabels // of the Go runtime and the process
		}
	}
	return known
}

// What a running consumer shows is what the reference says, so that reading the
// reference is as good as looking: every name, and at least the labels that a query may
// use.
func TestReferenceIsWhatAConsumerShows(t *testing.T) {
	documented := documentedMetrics(t)
	seen := 0
	for name, labels := range scrape(t) {
		if !strings.HasPrefix(name, "sluice_") {
			continue
		}
		base := name
		for _, part := range []string{"_bucket", "_count", "_sum"} {
			if _, ok := documented[strings.TrimSuffix(name, part)]; ok {
				base = strings.TrimSuffix(name, part)
			}
		}
		want, ok := documented[base]
		if !ok {
			t.Errorf("%s is shown but not in the reference", name)
			continue
		}
		seen++
		for _, label := range want {
			if !labels[label] {
				t.Errorf("%s has no label %s", name, label)
			}
		}
	}
	if seen < 15 {
		t.Errorf("%d metrics seen", seen)
	}
}

// scraped is kept, since the consumer need run only once.
var scraped map[string]map[string]bool

// scrape runs the consumer with the configuration of the try-out set on a real broker
// and an emulated cloud, has it carry out a command and refuse a message, and returns
// the names and labels of its metrics.
func scrape(t *testing.T) map[string]map[string]bool {
	t.Helper()
	if scraped != nil {
		return scraped
	}
	server, err := broker.StartServer(broker.ServerOptions{Temporary: true, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	cloud, http := freeport.Address(t), freeport.Address(t)
	start(t, container{root: t.TempDir()}, "emulate", "--listen", cloud)
	c, config := emulated(t, "http://"+cloud)
	start(t, c, "run", "--config", config, "--nats-url", server.URL(), "--http-listen", http)
	eventually(t, "the consumer is ready", func() bool { return len(lines("http://"+http+"/readyz")) == 1 })

	nc, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if err := nc.Publish("sluice.intake", []byte("no event")); err != nil {
		t.Fatal(err)
	}
	if out, err := c.run(t, "send", "restart", "redis-1", "--nats-url", server.URL(), "--vendor", "volcengine", "--account", "prod",
		"--region", "cn-beijing", "--token", "chart", "--wait"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	eventually(t, "the dead letter is counted", func() bool {
		scraped = metricNames(lines("http://" + http + "/metrics"))
		return scraped["sluice_deadletters_total"] != nil && scraped["sluice_command_stage_seconds_bucket"] != nil && scraped["sluice_lane_backlog"] != nil
	})
	return scraped
}

// emulated lays the try-out set out with another endpoint for its account.
func emulated(t *testing.T, endpoint string) (container, string) {
	t.Helper()
	set := readSet(t, "tryout")
	account := set["config"].(map[string]any)["accounts"].([]any)[0].(map[string]any)
	account["endpoint"] = endpoint
	o := renderedValues(t, set)
	c := layOut(t, o)
	return c, c.configFile(o)
}

// start runs the program until the test ends.
func start(t *testing.T, c container, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t), args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append([]string{"HOME=" + c.root}, c.env...), c.root, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("consumer %s:\n%s", args[0], text)
		}
	})
}

// lines are those of a page that is found.
func lines(url string) (found []string) {
	resp, err := http.Get(url)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	for s := bufio.NewScanner(resp.Body); resp.StatusCode == http.StatusOK && s.Scan(); {
		found = append(found, s.Text())
	}
	return found
}

var (
	series    = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? `)
	labelName = regexp.MustCompile(`(\w+)="`)
)

func metricNames(page []string) map[string]map[string]bool {
	found := map[string]map[string]bool{}
	for _, line := range page {
		m := series.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if found[m[1]] == nil {
			found[m[1]] = map[string]bool{}
		}
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			found[m[1]][l[1]] = true
		}
	}
	return found
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx := bounded(t)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
