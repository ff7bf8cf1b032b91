package dispatch

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// calls makes calls under a pacer as commands do, and keeps their order.
type pacedCalls struct {
	t    *testing.T
	p    *pacer
	all  sync.WaitGroup
	mu   sync.Mutex
	left []int // priorities, in the order of leaving
}

// begin makes one call whose preparation takes the given time.
func (c *pacedCalls) begin(prio int, preparing time.Duration) {
	c.all.Go(func() { c.call(prio, preparing) })
}

func (c *pacedCalls) call(prio int, preparing time.Duration) {
	turn, err := c.p.wait(context.Background(), prio)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer turn.release()
	time.Sleep(preparing)
	if err := turn.permit(context.Background()); err != nil {
		c.t.Error(err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = append(c.left, prio)
}

func (c *pacedCalls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.left)
}

// An urgent command takes the next permit that is free once it is prepared, whatever
// has been prepared before it.
func TestUrgentTakesTheNextPermit(t *testing.T) {
	for _, preparing := range []time.Duration{0, time.Millisecond, 40 * time.Millisecond, 300 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			c := &pacedCalls{t: t, p: newPacer(20, time.Now(), nil)}
			defer c.p.stop()
			for range 400 {
				c.begin(prioBulk, preparing)
			}
			for i := range 20 {
				time.Sleep(777*time.Millisecond + time.Duration(i)*7*time.Millisecond)
				before := c.count()
				c.call(prioUrgent, 3*time.Millisecond)
				if passed := c.count() - 1 - before; passed > 1 {
					t.Errorf("preparing %v: %d calls left before the urgent one", preparing, passed)
				}
			}
			c.all.Wait()
		})
	}
}

// Under constant urgent load every priority keeps its share, and none of the quota is
// lost for it.
func TestLowerPrioritiesKeepAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &pacedCalls{t: t, p: newPacer(100, time.Now(), nil)}
		defer c.p.stop()
		began := time.Now()
		for range 1000 {
			c.begin(prioUrgent, 30*time.Millisecond)
		}
		for range 100 {
			c.begin(prioNormal, 30*time.Millisecond)
			c.begin(prioBulk, 30*time.Millisecond)
		}
		c.all.Wait()
		last := map[int]int{prioNormal: -1, prioBulk: -1}
		seen := map[int]int{}
		for i, prio := range c.left {
			for low, at := range last {
				if seen[low] < 100 && i-at > 10 && prio != low {
					t.Fatalf("none of the calls %d to %d is of priority %d, which waits", at+1, i, low)
				}
			}
			last[prio] = i
			seen[prio]++
		}
		if took := time.Since(began); took > 1200*time.Second/100*100/97 {
			t.Errorf("1200 calls took %v: less than 97 %% of the quota", took)
		}
	})
}

// A call that is given up while it waits for its permit costs nothing of the quota.
func TestGivenUpPermitsAreNotSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &pacedCalls{t: t, p: newPacer(1, time.Now(), nil)}
		defer c.p.stop()
		c.call(prioNormal, 0)
		for range 5 {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			if err := c.p.probe(ctx); err == nil {
				t.Error("a second call in the same second got a permit")
			}
			cancel()
		}
		began := time.Now()
		c.call(prioNormal, 0)
		if took := time.Since(began); took > time.Second {
			t.Errorf("after five calls that were given up the next one waited %v", took)
		}
	})
}
