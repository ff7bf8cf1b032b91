package rig

import (
	"testing"

	"golang.org/x/sync/semaphore"
)

// MostProcesses bounds the processes of all tests that run at a time. Most of
// them wait most of the time.
const MostProcesses = 16

var slots = semaphore.NewWeighted(MostProcesses)

// Reserve waits until n processes may run, and gives the places back when the
// test ends. A test reserves once, for all of its processes: two that hold one
// each and wait for another would wait for ever.
func Reserve(tb testing.TB, n int64) {
	tb.Helper()
	if err := slots.Acquire(tb.Context(), n); err != nil {
		tb.Fatalf("reserve %d processes: %v", n, err)
	}
	tb.Cleanup(func() { slots.Release(n) })
}
