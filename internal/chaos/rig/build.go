package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program is the package that is built.
const program = "github.com/seed-7b870224/sluice/cmd/consumer"

var (
	scratchOnce = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "sluice-chaos-") })
	buildOnce   = sync.OnceValues(func() (string, error) { return build("consumer") })
)

// Build makes the program that obeys SLUICE_FAULT, once per test binary, and
// returns its path.
func Build(tb testing.TB) string {
	tb.Helper()
	if *binary != "" {
		return *binary
	}
	path, err := buildOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func build(name string, flags ...string) (string, error) {
	dir, err := scratchOnce()
	if err != nil {
		return "", fmt.Errorf("build the consumer: %w", err)
	}
	path := filepath.Join(dir, name)
	args := append([]string{"build", "-tags", "faults", "-o", path}, flags...)
	if Full() {
		// It costs each of hundreds of starts a quarter of a second of processor.
		args = append(args, "-race")
	}
	if says, err := exec.Command("go", append(args, program)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the consumer: %w: %s", err, says)
	}
	return path, nil
}

// cleanUp removes what was built.
func cleanUp() {
	if dir, err := scratchOnce(); err == nil {
		_ = os.RemoveAll(dir)
	}
}
