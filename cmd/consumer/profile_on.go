//go:build profile

package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
)

// What is shipped is never built with the tag profile; bench/ is what does it.
// The profiles run from the start until SIGUSR1, into the files that the
// environment names.
func init() {
	fmt.Fprintln(os.Stderr, "This program was built with the tag profile: it is for measurements.")
	cpu, mem := profileFile("SLUICE_CPUPROFILE"), profileFile("SLUICE_MEMPROFILE")
	if cpu != nil {
		if err := pprof.StartCPUProfile(cpu); err != nil {
			fmt.Fprintln(os.Stderr, "no CPU profile:", err)
		}
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	go func() {
		<-told
		pprof.StopCPUProfile()
		if mem != nil {
			runtime.GC() // what is in use is counted as of the last collection
			if err := pprof.Lookup("allocs").WriteTo(mem, 0); err != nil {
				fmt.Fprintln(os.Stderr, "no memory profile:", err)
			}
		}
		fmt.Fprintln(os.Stderr, "profiles written")
	}()
}

// profileFile is the file that a variable names, nil without one.
func profileFile(variable string) *os.File {
	name := os.Getenv(variable)
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, "no profile:", err)
		return nil
	}
	return file
}
