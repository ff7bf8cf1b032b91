package rig

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is the unit of /proc/PID/stat; Linux shows 100 a second everywhere.
const ticks = 100

// CPU is the processor time that the process has used, in user and system.
func (p *Process) CPU() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		return 0, fmt.Errorf("rig: processor time of %s: %w", p.Name, err)
	}
	// The command's name, in parentheses, may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 11, 12 // counted after the name
	if len(fields) <= system {
		return 0, fmt.Errorf("rig: processor time of %s: /proc/%d/stat has %d fields", p.Name, p.PID(), len(fields))
	}
	u, err1 := strconv.ParseInt(fields[user], 10, 64)
	s, err2 := strconv.ParseInt(fields[system], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("rig: processor time of %s: /proc/%d/stat does not parse", p.Name, p.PID())
	}
	return time.Duration(u+s) * time.Second / ticks, nil
}

// RSS is the process's resident memory, and the most it ever was, in bytes.
func (p *Process) RSS() (now, most int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0, 0, fmt.Errorf("rig: memory of %s: %w", p.Name, err)
	}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kib << 10
		case "VmHWM":
			most = kib << 10
		}
	}
	if now == 0 {
		return 0, 0, fmt.Errorf("rig: memory of %s: /proc/%d/status has no VmRSS", p.Name, p.PID())
	}
	return now, most, nil
}
