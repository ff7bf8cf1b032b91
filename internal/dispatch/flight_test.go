package dispatch

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// However long calls need from their permit to the network, and in whichever order they
// get there, no window sees more than the quota leave; and what they are held up by
// for a moment costs hardly any of it.
func TestCallsCountFromWhenTheyLeave(t *testing.T) {
	for _, c := range []struct {
		quota  float64
		often  float64       // how many are held up
		upTo   time.Duration // for how long
		atMost float64       // how much longer than evenly spaced it may take
	}{
		{20, 0.2, 8 * time.Millisecond, 1.03},
		{100, 0.2, 8 * time.Millisecond, 1.03},
		{20, 0.1, 700 * time.Millisecond, 2},
		{100, 0.1, 700 * time.Millisecond, 3},
		{1, 0.5, 3 * time.Second, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer(c.quota, time.Now(), nil)
			defer p.stop()
			var mu sync.Mutex
			var left []time.Time
			var all sync.WaitGroup
			began := time.Now()
			n := int(10 * c.quota)
			for range n {
				all.Go(func() {
					turn, err := p.wait(context.Background(), prioNormal)
					if err != nil {
						t.Error(err)
						return
					}
					defer turn.release()
					flight := vendors.FlightOf(turn.followed(context.Background()))
					if err := turn.permit(context.Background()); err != nil {
						t.Error(err)
					}
					flight.Leaving()
					if rand.Float64() < c.often {
						time.Sleep(time.Duration(rand.Int64N(int64(c.upTo))))
					}
					mu.Lock()
					left = append(left, time.Now())
					mu.Unlock()
					flight.Left(time.Now())
					time.Sleep(5 * time.Millisecond)
					flight.Over(time.Now())
				})
			}
			all.Wait()
			slices.SortFunc(left, time.Time.Compare)
			calls := max(1, int(c.quota))
			for i := calls; i < n; i++ {
				if d := left[i].Sub(left[i-calls]); d < time.Second {
					t.Errorf("quota %v, held up for up to %v: %d calls left within %v", c.quota, c.upTo, calls+1, d)
				}
			}
			if took, evenly := time.Since(began).Seconds(), float64(n)/c.quota; took > evenly*c.atMost {
				t.Errorf("quota %v, held up for up to %v: %d calls took %.1f s, evenly spaced %.1f", c.quota, c.upTo, n, took, evenly)
			}
		})
	}
}

// A call that is over without having left holds nobody back.
func TestCallThatNeverLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, time.Now(), nil)
		defer p.stop()
		take := func() *turn {
			turn, err := p.wait(context.Background(), prioNormal)
			if err != nil {
				t.Fatal(err)
			}
			if err := turn.permit(context.Background()); err != nil {
				t.Fatal(err)
			}
			return turn
		}
		first := take()
		first.Leaving()
		got := make(chan time.Time)
		go func() {
			take()
			got <- time.Now()
		}()
		time.Sleep(5 * time.Second) // a connection that cannot be made
		select {
		case <-got:
			t.Fatal("a call left beside one that might leave at any moment")
		default:
		}
		over := time.Now()
		first.Over(time.Time{})
		if second := <-got; second.Sub(over) > time.Millisecond {
			t.Errorf("the next call left %v after the first was given up", second.Sub(over))
		}
	})
}
