package dispatch

import (
	"context"
	"sync"
	"sync/atomic"
)

// maxIdle is how many goroutines of an account may wait for the next delivery: as
// many as a pull brings on a busy lane.
const maxIdle = 256

// crew is goroutines that take one delivery after the other. A new goroutine has to
// grow its stack several times on the way through a call; one that has been there
// before has not. Whoever finds nobody idle gets a goroutine of its own.
type crew struct {
	next chan func()
	idle atomic.Int32
	all  sync.WaitGroup
}

func newCrew() *crew { return &crew{next: make(chan func())} }

// do runs work on a goroutine that is not the caller's. Once ctx has ended, goroutines
// do not wait for more.
func (c *crew) do(ctx context.Context, work func()) {
	select {
	case c.next <- work:
	default:
		c.all.Go(func() { c.serve(ctx, work) })
	}
}

// serve does the work, and what comes after it.
func (c *crew) serve(ctx context.Context, work func()) {
	for {
		work()
		if c.idle.Add(1) > maxIdle {
			c.idle.Add(-1)
			return
		}
		select {
		case work = <-c.next:
			c.idle.Add(-1)
			if work == nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// trim sends half of those that are idle home.
func (c *crew) trim() {
	for range (c.idle.Load() + 1) / 2 {
		select {
		case c.next <- nil:
		default:
			return
		}
	}
}
