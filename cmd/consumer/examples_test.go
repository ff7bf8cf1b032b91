package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// runExample builds a program of examples/ and feeds it from standard input.
func runExample(t *testing.T, d *daemon, name, input string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", path, "../../examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", name, err, out)
	}
	cmd := isolated(t, path, time.Minute, args...)
	cmd.Env = append(cmd.Env, "NATS_URL=nats://"+d.nats)
	cmd.Stdin = strings.NewReader(input)
	stdout, stderr, code := exited(t, cmd)
	if code != 0 {
		t.Fatalf("%s: exit %d: %s", name, code, stderr)
	}
	return stdout
}

// The programs of examples/ do what docs/feeding.md says of them.
func TestExamples(t *testing.T) {
	t.Parallel()
	clouds, url := cloud(t)
	d := newDaemon(t, url, "")
	d.start()
	got := runExample(t, d, "chatbot", "/redis restart prod cn-beijing redis-chat\nhello\n/redis soft_restart prod cn-beijing redis-chat\n/redis restart prod cn-beijing redis-missing\n")
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(lines) != 4 || lines[0] != "redis-chat: succeeded" || !strings.HasPrefix(lines[1], "say: /redis") ||
		!strings.HasPrefix(lines[2], "redis-chat: rejected ") || !strings.HasPrefix(lines[3], "redis-missing: failed ") {
		t.Errorf("the bot says\n%s", got)
	}
	for range 2 { // the second time nothing is done again
		got = runExample(t, d, "batch", "redis-b1\nredis-b2\nredis-missing-b3\n", "-account", "prod", "-region", "cn-beijing", "-wave", "w1")
		if !strings.Contains(got, "summary: map[failed:1 succeeded:2]") {
			t.Errorf("the batch says\n%s", got)
		}
	}
	if n := len(clouds.Calls(emulator.Filter{Mutations: true, Instance: "redis-b1"})); n != 1 {
		t.Errorf("redis-b1 was restarted %d times", n)
	}
}
