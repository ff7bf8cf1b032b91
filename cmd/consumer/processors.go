package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

// How much of one processor is used decides how many the scheduler spreads the work
// over: below lull for a while, one; above rush, all.
const (
	usedEvery = 200 * time.Millisecond
	lull      = 0.5
	lulls     = 10 // in a row
	rush      = 0.75
)

// allowed is how many processors the environment allows.
var allowed = runtime.GOMAXPROCS(0)

// processors keeps the Go scheduler on one processor while one is enough. With more it
// wakes a thread for every step of a command, to see whether it could run beside the
// others: at a vendor's pace nothing could, and the waking costs more than the step.
// Not for an embedded server: it blocks its thread while the disk writes.
type processors struct {
	// used is the processor time of the process so far; ok is false if it cannot be
	// told.
	used func() (t time.Duration, ok bool)
	// spread sets how many processors are used: one, or all that are allowed.
	spread func(wide bool)

	narrow bool
	calm   int // samples below lull in a row
}

// spareProcessors does so until the context ends, and then allows all again.
func spareProcessors(ctx context.Context) {
	p := processors{used: processTime, spread: spread}
	if allowed > 1 {
		go p.run(ctx)
	}
}

func (p *processors) run(ctx context.Context) {
	defer p.turn(false)
	ticker := time.NewTicker(usedEvery)
	defer ticker.Stop()
	before, ok := p.used()
	for began := time.Now(); ok; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		var now time.Duration
		now, ok = p.used()
		p.sample(float64(now-before) / float64(time.Since(began)))
		before, began = now, time.Now()
	}
}

// sample is told which share of one processor was used lately.
func (p *processors) sample(share float64) {
	switch {
	case share > rush:
		p.turn(false)
	case share < lull:
		p.calm++
	default:
		p.calm = 0
	}
	if p.calm >= lulls {
		p.turn(true)
	}
}

// turn makes the change, if it is one.
func (p *processors) turn(narrow bool) {
	p.calm = 0
	if p.narrow != narrow {
		p.narrow = narrow
		p.spread(!narrow)
	}
}

// spread sets the scheduler. Without the variable it is left to the runtime how many
// all are: it follows the container's limit.
func spread(wide bool) {
	switch {
	case !wide:
		runtime.GOMAXPROCS(1)
	case os.Getenv("GOMAXPROCS") != "":
		runtime.GOMAXPROCS(allowed)
	default:
		runtime.SetDefaultGOMAXPROCS()
	}
}
