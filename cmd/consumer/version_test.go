package main

import (
	"encoding/json"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/consumer"
	if out, err := exec.Command("go", "build", "-o", path, "-ldflags", "-X main.version=v9 -X main.commit=abc -X main.date=2026-01-02T03:04:05Z", ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, _, code := exited(t, exec.Command(path, "version", "--output", "json"))
	var b buildFacts
	want := buildFacts{"v9", "abc", "2026-01-02T03:04:05Z", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if err := json.Unmarshal([]byte(out), &b); err != nil || code != exitOK || b != want {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	text, _, _ := exited(t, exec.Command(path, "version"))
	for _, part := range []string{"v9", "abc", "2026-01-02T03:04:05Z", runtime.Version()} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %s", text, part)
		}
	}
	short, _, _ := exited(t, exec.Command(path, "--version"))
	if !strings.Contains(short, "v9") {
		t.Errorf("--version: %q", short)
	}
}
