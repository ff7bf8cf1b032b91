package dispatch

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// However late single calls leave, no window sees more than the quota.
func TestLateCallsDoNotCrowdTheWindow(t *testing.T) {
	for _, quota := range []float64{1, 5, 20, 100, 0.5, 2.5} {
		synctest.Test(t, func(t *testing.T) {
			w := newWindow(quota)
			n := len(w.calls)
			var left []time.Time
			for i := range 10 * n {
				// Spaced evenly, and now and then held up by somebody else.
				time.Sleep(time.Duration(float64(time.Second) / quota / quotaMargin))
				if i%n == 3%n {
					time.Sleep(time.Duration(rand.Int64N(int64(w.length / 2))))
				}
				for wait := w.wait(time.Now()); wait > 0; wait = w.wait(time.Now()) {
					time.Sleep(wait)
				}
				w.leave(time.Now())
				left = append(left, time.Now())
			}
			for i := n; i < len(left); i++ {
				if d := left[i].Sub(left[i-n]); d < w.length+windowGuard {
					t.Errorf("quota %v: %d calls within %v", quota, n+1, d)
				}
			}
		})
	}
}

// A pacer whose timers are late keeps the quota; one whose timers are punctual
// uses all but the margin.
func TestPacerKeepsTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(20, time.Now(), nil)
		defer p.stop()
		var mu sync.Mutex
		var left []time.Time
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				turn, err := p.wait(context.Background(), prioNormal)
				if err != nil {
					t.Error(err)
					return
				}
				defer turn.release()
				if err := turn.permit(context.Background()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				left = append(left, time.Now())
				mu.Unlock()
			})
		}
		all.Wait()
		for i := 20; i < len(left); i++ {
			if d := left[i].Sub(left[i-20]); d < time.Second {
				t.Errorf("21 calls within %v", d)
			}
		}
		if took := left[199].Sub(left[0]); took > 199*time.Second/20*100/97 {
			t.Errorf("200 calls took %v: less than 97 %% of the quota", took)
		}
	})
}

// A call that was held up on its way keeps the one after the window back as well.
func TestWindowWaitsForSlowCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(2)
		call := func(took time.Duration) {
			w.leave(time.Now())
			made := time.Now()
			time.Sleep(took)
			w.answered(made, took)
		}
		call(5 * time.Millisecond)
		call(19 * time.Millisecond) // 14 ms more than the quickest
		time.Sleep(w.wait(time.Now()))
		call(5 * time.Millisecond)
		left := w.calls[1].at
		time.Sleep(w.wait(time.Now()))
		if apart := time.Since(left); apart.Round(time.Millisecond) != time.Second+14*time.Millisecond {
			t.Errorf("the call after the window left %v after the slow one", apart)
		}
		apart := func(took time.Duration) time.Duration {
			call(took)
			slow := w.calls[1].at
			call(5 * time.Millisecond)
			time.Sleep(w.wait(time.Now()))
			return time.Since(slow)
		}
		// Where answers take about the same time, one that is late was late on its way.
		if got := apart(60 * time.Millisecond); got.Round(time.Millisecond) != time.Second+55*time.Millisecond {
			t.Errorf("the call after the window left %v after one that was 55 ms late", got)
		}
		for range 100 {
			call(300 * time.Millisecond)
			time.Sleep(w.wait(time.Now()))
			call(5 * time.Millisecond)
			time.Sleep(w.wait(time.Now()))
		}
		if got := apart(300 * time.Millisecond); got > time.Second+mostGuard {
			t.Errorf("a vendor that takes its time as it likes costs more than the guard: %v", got)
		}
	})
}
