// Package rig runs real processes on the loopback interface for measurements: NATS
// servers, consumers, the vendor's ends and the rivals. Whatever it starts ends
// with it, also if the bench is killed.
package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Options of a rig; the zero value is good.
type Options struct {
	// Dir is where stores and logs go; default a temporary directory. It is
	// on the disk that is measured.
	Dir string
	// Consumer is a built consumer; default is to build it.
	Consumer string
	// Profiles is a directory for the consumers' profiles; empty for none.
	Profiles string
}

// Rig owns the processes and their directory.
type Rig struct {
	options Options
	dir     string

	mu       sync.Mutex
	binaries map[string]string
	running  []*Process
	numbered map[string]int
	closed   bool
}

// New makes a rig. Close ends it.
func New(o Options) (*Rig, error) {
	if _, err := os.Stat("../cmd/consumer"); err != nil {
		return nil, errors.New("rig: run the bench in its own directory (cd bench && go run .)")
	}
	for _, dir := range []string{o.Dir, o.Profiles} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("rig: %w", err)
		}
	}
	if o.Profiles != "" {
		// The consumers run in directories of their own.
		abs, err := filepath.Abs(o.Profiles)
		if err != nil {
			return nil, fmt.Errorf("rig: directory for profiles: %w", err)
		}
		o.Profiles = abs
	}
	dir, err := os.MkdirTemp(o.Dir, "sluice-bench-")
	if err != nil {
		return nil, fmt.Errorf("rig: %w", err)
	}
	return &Rig{options: o, dir: dir, binaries: map[string]string{}, numbered: map[string]int{}}, nil
}

// Close ends every process and removes the directory.
func (r *Rig) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.StopAll()
	_ = os.RemoveAll(r.dir)
}

// StopAll ends every process that runs, the youngest first.
func (r *Rig) StopAll() {
	r.mu.Lock()
	running := r.running
	r.running = nil
	r.mu.Unlock()
	for i := len(running) - 1; i >= 0; i-- {
		running[i].Kill()
	}
}

// sources are what the rig can build, and from which directory.
var sources = map[string]struct{ dir, pkg string }{
	"consumer":    {"..", "./cmd/consumer"},
	"nats-server": {".", "github.com/nats-io/nats-server/v2"},
	"stub":        {".", "./cmd/stub"},
	"bare":        {".", "./cmd/bare"},
	"watermill":   {".", "./cmd/watermill"},
}

// Build makes one of the programs, once, and returns its path.
func (r *Rig) Build(name string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if path := r.binaries[name]; path != "" {
		return path, nil
	}
	if name == "consumer" && r.options.Consumer != "" {
		path, err := filepath.Abs(r.options.Consumer)
		r.binaries[name] = path
		return path, err
	}
	source, ok := sources[name]
	if !ok {
		return "", fmt.Errorf("rig: no program %q", name)
	}
	path := filepath.Join(r.dir, name)
	args := []string{"build", "-trimpath", "-o", path}
	if name == "consumer" && r.options.Profiles != "" {
		args = append(args, "-tags", "profile")
	}
	cmd := exec.Command("go", append(args, source.pkg)...)
	cmd.Dir = source.dir
	if says, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("rig: build %s: %w: %s", name, err, says)
	}
	r.binaries[name] = path
	return path, nil
}

// Scratch makes a new directory for something of that name.
func (r *Rig) Scratch(name string) (string, error) {
	r.mu.Lock()
	r.numbered[name]++
	dir := filepath.Join(r.dir, fmt.Sprintf("%s-%d", name, r.numbered[name]))
	r.mu.Unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("rig: %w", err)
	}
	return dir, nil
}
