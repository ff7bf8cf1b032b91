package rig

import (
	"context"
	"fmt"
	"time"
)

// Await polls until ok, a process that is needed ends, or the limit has passed.
func Await(ctx context.Context, limit, pause time.Duration, what string, ok func() bool, needed ...*Process) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for end := time.Now().Add(limit); ; timer.Reset(pause) {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		}
		if ok() {
			return nil
		}
		for _, p := range needed {
			if !p.Running() {
				return fmt.Errorf("waiting for %s: %s has ended; its log ends: %s", what, p.Name, p.Tail(10))
			}
		}
		if time.Now().After(end) {
			says := ""
			for _, p := range needed {
				says += fmt.Sprintf("; the log of %s ends: %s", p.Name, p.Tail(3))
			}
			return fmt.Errorf("%s did not happen within %s%s", what, limit, says)
		}
	}
}
