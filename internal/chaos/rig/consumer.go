package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Consumer is `consumer run` as a process, which may be started again after it
// has ended. Its log is kept across starts and printed when the test fails.
type Consumer struct {
	// Name tells the processes of a test apart in its log.
	Name string
	// Binary replaces the program that Build makes.
	Binary string

	tb     testing.TB
	config string
	home   string
	log    logBuffer
	mark   int // where the log of the latest start begins
	process
	http atomic.Pointer[string]
}

// NewConsumer writes the configuration; Start runs the process. Places for
// processes are reserved by the test.
func NewConsumer(tb testing.TB, name string, conf Config) *Consumer {
	tb.Helper()
	dir := tb.TempDir()
	c := &Consumer{Name: name, tb: tb, config: filepath.Join(dir, "sluice.yaml"), home: dir}
	if err := os.WriteFile(c.config, []byte(conf.yaml(tb)), 0o600); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.finish)
	return c
}

// Start runs the process with these additions ("NAME=value") to an environment
// that holds nothing of this one's.
func (c *Consumer) Start(env ...string) {
	c.tb.Helper()
	if c.Running() {
		c.tb.Fatalf("%s runs already", c.Name)
	}
	binary := c.Binary
	if binary == "" {
		binary = Build(c.tb)
	}
	cmd := exec.Command(binary, "run", "--config", c.config)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "TMPDIR=" + c.home}, env...)
	c.mark = c.log.len()
	c.http.Store(nil)
	cmd.Stderr = &c.log
	if err := c.start(cmd); err != nil {
		c.tb.Fatalf("start %s: %v", c.Name, err)
	}
}

// WaitReady returns when the latest start answers /readyz with 200.
func (c *Consumer) WaitReady() {
	c.tb.Helper()
	Eventually(c.tb, c.Name+" ready", func() bool {
		if !c.Running() {
			c.tb.Fatalf("%s ended before it was ready (%s)", c.Name, c.cmd.ProcessState)
		}
		return c.Ready()
	})
}

// Kill ends the process without a chance to say goodbye (SIGKILL).
func (c *Consumer) Kill() {
	if c.Running() {
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// Signal sends a signal to the process.
func (c *Consumer) Signal(s syscall.Signal) {
	c.tb.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.tb.Fatalf("signal %s to %s: %v", s, c.Name, err)
	}
}

// Term stops the process cleanly and returns its exit code and how long it took.
func (c *Consumer) Term() (code int, took time.Duration) {
	c.tb.Helper()
	began := time.Now()
	c.Signal(syscall.SIGTERM)
	c.WaitExit()
	return c.cmd.ProcessState.ExitCode(), time.Since(began)
}

// WaitExit returns when the process has ended, by whatever cause, and reports
// whether that was SIGKILL.
func (c *Consumer) WaitExit() (killed bool) {
	c.tb.Helper()
	if !c.ExitsWithin(Patience) {
		c.tb.Fatalf("%s did not end within %s", c.Name, Patience)
	}
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// ExitsWithin reports whether the process ends within the limit.
func (c *Consumer) ExitsWithin(limit time.Duration) bool {
	select {
	case <-c.ended:
		return true
	case <-time.After(limit):
		return false
	}
}

// Exited is closed when the latest start has ended.
func (c *Consumer) Exited() <-chan struct{} { return c.ended }

// Log is everything the latest start has logged.
func (c *Consumer) Log() string { return c.log.since(c.mark) }

// LogAll is the log of all starts.
func (c *Consumer) LogAll() string { return c.log.since(0) }

// LogLines returns the lines of the latest start that hold every word.
func (c *Consumer) LogLines(words ...string) []string { return linesWith(c.Log(), words...) }

// finish ends the process with its test and tells what it said if that failed.
func (c *Consumer) finish() {
	if c.Running() {
		_ = c.cmd.Process.Signal(syscall.SIGCONT)
		c.Kill()
	}
	if strings.Contains(c.LogAll(), "DATA RACE") {
		c.tb.Errorf("%s has a data race", c.Name)
	}
	if c.tb.Failed() {
		c.tb.Logf("log of %s:\n%s", c.Name, c.LogAll())
	}
}
