package rig

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BuildBroken makes the program with a patch to one of its files, given by its
// path from the root of the module, and leaves the file itself alone. It shows
// that a scenario notices what the patch breaks.
func BuildBroken(tb testing.TB, patch, file string) string {
	tb.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		tb.Fatal(err)
	}
	copied := filepath.Join(tb.TempDir(), file)
	overlay := filepath.Join(tb.TempDir(), "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, file): copied}})
	if err != nil {
		tb.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		tb.Fatal(err)
	}
	put(tb, copied, source)
	put(tb, overlay, replace)
	apply(tb, patch, copied[:len(copied)-len(file)])
	path, err := build("consumer-"+filepath.Base(patch), "-overlay", overlay)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func put(tb testing.TB, file string, content []byte) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// apply patches the files below a directory.
func apply(tb testing.TB, patch, dir string) {
	tb.Helper()
	patch, err := filepath.Abs(patch)
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command("git", "apply", "-C1", patch)
	// A repository around the directory would take the patch for itself.
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(filepath.Clean(dir)))
	if says, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s no longer applies; make it fit the code: %v: %s", patch, err, says)
	}
}
