package dispatch

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Whoever is idle takes the next work; nobody waits behind work that goes on.
func TestCrew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		var begun atomic.Int32
		c := newCrew()
		release := make(chan struct{})
		var done sync.WaitGroup
		together := func(n int) {
			done.Add(n)
			for range n {
				c.do(ctx, func() {
					defer done.Done()
					begun.Add(1)
					<-release
				})
			}
			synctest.Wait()
		}
		together(3 * maxIdle)
		if got := begun.Load(); got != 3*maxIdle {
			t.Errorf("%d pieces of work have begun, not %d", got, 3*maxIdle)
		}
		close(release)
		done.Wait()
		synctest.Wait()
		if got := c.idle.Load(); got != maxIdle {
			t.Errorf("%d idle, want %d", got, maxIdle)
		}
		c.trim()
		synctest.Wait()
		if got := c.idle.Load(); got != maxIdle/2 {
			t.Errorf("%d idle after half were sent home", got)
		}
		release = make(chan struct{})
		together(maxIdle)
		if got := c.idle.Load(); got != 0 {
			t.Errorf("%d idle while there was work for them", got)
		}
		end()
		close(release)
		c.all.Wait()
	})
}
