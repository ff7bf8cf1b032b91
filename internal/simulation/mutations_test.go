package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// mutation is one way to break the engine. Its file is a unified diff; lines
// before the diff say what is broken ("breaks: P1 P5") and which test notices
// ("run: TestPace", TestSchedules unless said otherwise).
type mutation struct {
	name, file string
	promises   []string
	run        string
}

// TestCheckerCatchesMutations breaks the engine in each way of
// testdata/mutations and demands that the checker names a broken promise.
func TestCheckerCatchesMutations(t *testing.T) {
	if testing.Short() || raceEnabled || *oneSeed != 0 {
		t.Skip("the mutants are built and run without the race detector, once, by the long run")
	}
	files, err := filepath.Glob("testdata/mutations/*.patch")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d mutations found, at least 12 are wanted (%v)", len(files), err)
	}
	for _, file := range files {
		m := readMutation(t, file)
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.mustBeCaught(t)
		})
	}
}

func readMutation(t *testing.T, file string) mutation {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := mutation{name: strings.TrimSuffix(filepath.Base(file), ".patch"), file: file, run: "TestSchedules"}
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "---") {
			break
		}
		if rest, ok := strings.CutPrefix(line, "breaks: "); ok {
			m.promises = strings.Fields(rest)
		}
		if rest, ok := strings.CutPrefix(line, "run: "); ok {
			m.run = strings.TrimSpace(rest)
		}
	}
	if len(m.promises) == 0 {
		t.Fatalf("%s does not say which promise it breaks; add a line \"breaks: P2\" before the diff", file)
	}
	return m
}

// named finds the promises that a failed run names.
var named = regexp.MustCompile(`_test\.go:\d+: (P\d):`)

// mustBeCaught runs the checker on the mutant until it names the promise.
func (m mutation) mustBeCaught(t *testing.T) {
	overlay := m.overlay(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-run", "^"+m.run+"$", "-count=1", "-parallel=1", "-cpu=1",
		"-timeout=5m", ".", "-args", "-sim.mutant="+strings.Join(m.promises, ","), "-sim.commands=60000")
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("cannot run the mutant: %v", err)
	}
	seen := map[string]bool{}
	for _, found := range named.FindAllStringSubmatch(out.String(), -1) {
		seen[found[1]] = true
	}
	for _, p := range m.promises {
		if seen[p] {
			return
		}
	}
	t.Errorf("the checker did not see that %s is broken (it saw %v):\n%s", strings.Join(m.promises, " or "), seen, tail(out.String()))
}

// overlay writes the mutant's files and the list that puts them in place of the
// engine's.
func (m mutation) overlay(t *testing.T) string {
	t.Helper()
	root, dir := moduleRoot(t), t.TempDir()
	patch, err := filepath.Abs(m.file)
	if err != nil {
		t.Fatal(err)
	}
	replaced := map[string]string{}
	for _, name := range m.touched(t) {
		from, to := filepath.Join(root, name), filepath.Join(dir, name)
		raw, err := os.ReadFile(from)
		if err != nil {
			t.Fatalf("%s changes %s, which is not there: %v", m.file, name, err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, raw, 0o644)); err != nil {
			t.Fatal(err)
		}
		replaced[from] = to
	}
	git := exec.Command("git", "apply", "--unidiff-zero", "-C1", patch)
	git.Dir = dir
	// Outside any repository git applies to plain files.
	git.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_DIR=/dev/null")
	if out, err := git.CombinedOutput(); err != nil {
		t.Fatalf("%s no longer applies; make it again for the engine as it is now: %v\n%s", m.file, err, out)
	}
	raw, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// touched are the files that the diff changes.
func (m mutation) touched(t *testing.T) (out []string) {
	t.Helper()
	raw, err := os.ReadFile(m.file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "+++ b/"); ok {
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return out
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

func tail(s string) string {
	const most = 3000
	return fmt.Sprint("...", s[max(0, len(s)-most):])
}
