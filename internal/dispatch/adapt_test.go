package dispatch

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// When the vendor lets less through than is configured, the calls are under its real
// limit within two seconds, and back at full pace within thirty after it is lifted.
func TestPacerAdapts(t *testing.T) {
	for _, c := range []struct{ quota, real float64 }{{20, 5}, {20, 1}, {100, 30}, {300, 90}, {300, 3}, {5, 2}, {1, 0.5}, {0, 50}} {
		synctest.Test(t, func(t *testing.T) {
			cloud := &meanCloud{quota: c.real}
			p := newPacer(c.quota, time.Now(), nil)
			defer p.stop()
			var all sync.WaitGroup
			defer all.Wait()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			began := time.Now()
			for range callers {
				all.Go(func() { cloud.callAgainAndAgain(ctx, p) })
			}
			time.Sleep(22 * time.Second)
			for s := 2; s < 22; s++ {
				from := began.Add(time.Duration(s) * time.Second)
				offered := cloud.between(from, from.Add(time.Second))
				// One step beyond the limit tells whether it still stands.
				if limit := max(c.real*1.5, c.real+2); float64(offered) > limit {
					t.Errorf("quota %v, real %v: %d calls in second %d", c.quota, c.real, offered, s)
				}
			}
			if throttled := cloud.throttledSince(began.Add(2 * time.Second)); throttled > 25 {
				t.Errorf("quota %v, real %v: %d throttled after the first two seconds", c.quota, c.real, throttled)
			}
			cloud.lift()
			time.Sleep(30 * time.Second)
			from := time.Now()
			time.Sleep(2 * time.Second)
			want := 2 * c.quota * 0.97
			if c.quota == 0 {
				want = 2 * 1000
			}
			if got := cloud.between(from, from.Add(2*time.Second)); float64(got) < want-1 {
				t.Errorf("quota %v, real %v: %d calls in the two seconds after half a minute", c.quota, c.real, got)
			}
		})
	}
}

// The callers make 2,000 calls a second where nothing else bounds them.
const (
	callers   = 4
	roundTrip = 2 * time.Millisecond
)

// meanCloud lets through less than it promises, in any sliding second.
type meanCloud struct {
	mu        sync.Mutex
	quota     float64 // zero lets everything through
	all       []time.Time
	passed    []time.Time
	throttled []time.Time
}

func (c *meanCloud) lift() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quota = 0
}

func (c *meanCloud) callAgainAndAgain(ctx context.Context, p *pacer) {
	for {
		turn, err := p.wait(ctx, prioNormal)
		if err != nil {
			return
		}
		if turn.permit(ctx) == nil {
			time.Sleep(roundTrip)
			if c.takes(time.Now()) {
				p.answered(roundTrip)
			} else {
				p.throttled(0)
			}
		}
		turn.release()
	}
}

func (c *meanCloud) takes(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, now)
	if c.quota > 0 && float64(within(c.passed, now.Add(-time.Second), now)) >= c.quota {
		c.throttled = append(c.throttled, now)
		return false
	}
	c.passed = append(c.passed, now)
	return true
}

func (c *meanCloud) between(from, to time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return within(c.all, from, to)
}

func (c *meanCloud) throttledSince(from time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return within(c.throttled, from, time.Now())
}

// within counts the times after from, up to to; they are in order.
func within(times []time.Time, from, to time.Time) (n int) {
	for i := len(times) - 1; i >= 0 && times[i].After(from); i-- {
		if !times[i].After(to) {
			n++
		}
	}
	return n
}

// A single refusal after a long time costs next to nothing.
func TestOneRefusalCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(20, time.Now(), nil)
		defer p.stop()
		time.Sleep(time.Minute)
		p.throttled(0)
		if limit := float64(p.limiter.Limit()); limit < 18 {
			t.Errorf("the pace went down to %v/s", limit)
		}
		time.Sleep(4 * time.Second)
		p.mu.Lock()
		p.adapted(time.Now())
		p.mu.Unlock()
		if p.limiter.Limit() != p.full {
			t.Errorf("after 4 s the pace is %v/s", p.limiter.Limit())
		}
	})
}
