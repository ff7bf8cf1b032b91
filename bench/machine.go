package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine says on what the figures were taken, and whether it was quiet then.
func machine(b *Bench, loadBefore string) string {
	quick := ""
	if b.Quick {
		quick = "QUICK RUN, these figures do not count; "
	}
	return quick + fmt.Sprintf("%s; %d cores of %s; %s MiB of memory; %s %s; %s; %d round(s); load average before and after: %s, %s",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), fact("/proc/cpuinfo", "model name"), memory(), runtime.GOOS, release(),
		runtime.Version(), b.Rounds, loadBefore, load1())
}

// fact is the first value of a name in a file of "name : value" lines.
func fact(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown kind"
}

// memory is that of the machine, in MiB.
func memory() string {
	var kib int64
	if _, err := fmt.Sscan(fact("/proc/meminfo", "MemTotal"), &kib); err != nil {
		return "unknown"
	}
	return fmt.Sprint(kib >> 10)
}

func release() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(text))
}

// load1 is the load average of the last minute.
func load1() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
