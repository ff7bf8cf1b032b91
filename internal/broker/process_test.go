package broker

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed-7b870224/sluice/internal/freeport"
)

// buildServer builds the NATS server as a program of its own, once.
var buildServer = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sluice-test-")
	if err != nil {
		return "", err
	}
	cleanUps = append(cleanUps, func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "nats-server")
	out, err := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the NATS server: %w: %s", err, out)
	}
	return path, nil
})

// serverProcess is a NATS server in a process of its own, which can be killed, and
// whose processor time is not ours.
type serverProcess struct {
	cmd       *exec.Cmd
	conf, url string
}

func startProcess(t testing.TB, syncInterval string) *serverProcess {
	t.Helper()
	dir, address := t.TempDir(), freeport.Address(t)
	conf := fmt.Sprintf("listen: %q\njetstream { store_dir: %q, sync_interval: %s }\n", address, dir, syncInterval)
	p := &serverProcess{conf: filepath.Join(dir, "server.conf"), url: "nats://" + address}
	if err := os.WriteFile(p.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	t.Cleanup(p.kill)
	return p
}

func (p *serverProcess) start(t testing.TB) {
	t.Helper()
	path, err := buildServer()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(path, "-c", p.conf)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the server without a chance to put anything in order.
func (p *serverProcess) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *serverProcess) connect(t testing.TB) *Conn {
	o := testOptions(nil)
	o.URL = p.url
	c := testConnect(t, o)
	mustSetup(t, c)
	return c
}
