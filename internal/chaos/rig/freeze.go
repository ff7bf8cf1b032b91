package rig

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Freeze stops the process where it stands (SIGSTOP), until Thaw.
func (c *Consumer) Freeze() {
	c.tb.Helper()
	c.Signal(syscall.SIGSTOP)
	Eventually(c.tb, c.Name+" frozen", c.Frozen)
}

// Thaw lets a frozen process go on (SIGCONT).
func (c *Consumer) Thaw() {
	c.tb.Helper()
	c.Signal(syscall.SIGCONT)
}

// Frozen reports whether the process is stopped, by whomever. It reads /proc, so
// it works on Linux only.
func (c *Consumer) Frozen() bool {
	if !c.Running() {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return false
	}
	// The command's name, in parentheses, may hold anything.
	rest := string(stat)[strings.LastIndexByte(string(stat), ')')+1:]
	return strings.HasPrefix(strings.TrimSpace(rest), "T")
}
