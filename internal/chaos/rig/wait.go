package rig

import (
	"testing"
	"time"
)

// Patience is how long Eventually waits; slow machines are not a failure.
const Patience = 2 * time.Minute

// Eventually polls until ok, or fails the test.
func Eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	EventuallyWithin(tb, Patience, what, ok)
}

// EventuallyWithin polls until ok, or fails the test after the limit.
func EventuallyWithin(tb testing.TB, limit time.Duration, what string, ok func() bool) {
	tb.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(25 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			tb.Fatalf("%s did not happen within %s", what, limit)
		}
	}
}
