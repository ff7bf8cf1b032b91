//go:build faults

package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// faultPoints are the boundaries between the steps of a command's life, in their
// order. Every write to the broker has one before and one after it.
var faultPoints = []string{
	"claim.before", "claim.after", // the ledger takes the token
	"touch.before", "touch.after", // a record of an earlier process is fenced off
	"intent.before", "intent.after", // the ledger says that a call is to leave
	"call.before",               // all checks passed, no byte of the call has left
	"call.sent",                 // its bytes have left, no answer was read
	"call.answered",             // the answer was read, nothing is recorded
	"note.before", "note.after", // the ledger notes that the answer was lost
	"retry.before", "retry.after", // the ledger says that nothing ran
	"accepted.before", "accepted.after", // the ledger says that the vendor took the work
	"announce.before", "announce.after", // the accepted result
	"free.before", "free.after", // the token is free again
	"told.before", "told.after", // the ledger notes what another command of the token is told
	"outcome.before", "outcome.after", // the ledger holds the end
	"result.before", "result.after", // the final result
	"ack.before", "ack.after", // the command leaves the queue
}

// faultActions are what a process can do to itself.
var faultActions = map[string]syscall.Signal{"kill": syscall.SIGKILL, "freeze": syscall.SIGSTOP}

// faults counts the passings of points and acts at the chosen ones.
type faults struct {
	mu     sync.Mutex
	passed map[string]int
	acts   map[string]map[int]syscall.Signal // by point and passing
}

// parseFaults reads POINT@N=ACTION,...
func parseFaults(text string) (*faults, error) {
	f := &faults{passed: map[string]int{}, acts: map[string]map[int]syscall.Signal{}}
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		at, action, _ := strings.Cut(one, "=")
		point, count, _ := strings.Cut(at, "@")
		n, err := strconv.Atoi(count)
		signal, known := faultActions[action]
		if err != nil || n < 1 || !known || !slices.Contains(faultPoints, point) {
			return nil, usagef("%s: %q is not POINT@N=ACTION; actions: kill, freeze; points: %s", faultEnv, one, strings.Join(faultPoints, " "))
		}
		if f.acts[point] == nil {
			f.acts[point] = map[int]syscall.Signal{}
		}
		f.acts[point][n] = signal
	}
	return f, nil
}

// pass is called at a point. It does not return if the process is to die there.
func (f *faults) pass(point string) {
	f.mu.Lock()
	f.passed[point]++
	n := f.passed[point]
	signal, act := f.acts[point][n]
	f.mu.Unlock()
	if !act {
		return
	}
	fmt.Fprintf(os.Stderr, "fault: %s@%d: %v\n", point, n, signal)
	if err := syscall.Kill(os.Getpid(), signal); err != nil {
		panic(err)
	}
	if signal == syscall.SIGKILL {
		select {}
	}
	// The signal stops all threads, but perhaps not before this one is here.
	time.Sleep(50 * time.Millisecond)
}

// around passes the points before and after a write.
func (f *faults) around(write string, do func() error) error {
	f.pass(write + ".before")
	err := do()
	f.pass(write + ".after")
	return err
}
