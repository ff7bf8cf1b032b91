package simulation

import (
	"testing"
	"testing/synctest"
	"time"
)

// settleWithin bounds, in virtual time, how long a healed world may take: the
// engine's own limits (expiry, track time-out, lost answers) are minutes.
const settleWithin = 3 * time.Hour

// simulate runs a schedule to its end, inside a bubble of virtual time.
func simulate(t *testing.T, p *plan) (w *world) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w = newWorld(p)
		w.run()
	})
	return w
}

// run carries the plan out, waits until everything is settled, and stops.
func (w *world) run() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range w.plan.publications {
			pub := &w.plan.publications[i]
			time.Sleep(pub.at - w.since())
			w.publishPlanned(pub)
		}
	}()
	for _, e := range w.plan.lives {
		time.Sleep(e.at - w.since())
		w.live(e)
	}
	<-done
	time.Sleep(w.plan.heal - w.since())
	if len(w.running(-1)) == 0 {
		w.start(9)
	}
	w.settle()
	w.stop()
}

// live carries out one event of a replica's life.
func (w *world) live(e lifeEvent) {
	switch e.what {
	case "start":
		if len(w.running(e.slot)) == 0 {
			w.start(e.slot)
		}
	case "stop":
		for _, r := range w.running(e.slot) {
			w.noted("clean stop")
			r.cancel()
		}
	case "kill":
		for _, r := range w.running(e.slot) {
			w.noted("kill")
			r.link.kill()
			r.cancel()
		}
	}
}

// settle waits until the commands stream is empty.
func (w *world) settle() {
	for w.since() < w.plan.heal+settleWithin {
		w.mu.Lock()
		left := len(w.waiting())
		w.mu.Unlock()
		if left == 0 {
			return
		}
		if len(w.running(-1)) == 0 {
			w.start(9)
		}
		time.Sleep(3 * time.Second)
	}
}

// stop ends all replicas and waits for them.
func (w *world) stop() {
	time.Sleep(5 * time.Second)
	for _, r := range w.replicas {
		r.cancel()
	}
	for _, r := range w.replicas {
		<-r.done
	}
	time.Sleep(3 * time.Minute) // what is on its way still lands
	w.lasted = w.since()
}
