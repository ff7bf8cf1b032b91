package dispatch

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Lanes are opened when there is something in them: most lanes of a large fleet
// idle, and each consumer costs the broker memory, and milliseconds when it is made.
// Those that hold commands when the region begins may hold what an earlier owner has
// sent; they are opened first.

// listen wakes lanes as commands arrive in them. What it misses the survey finds.
func (r *region) listen() (stop func()) {
	var stops []func()
	for _, l := range r.lanes {
		if l.stored {
			continue
		}
		stop, err := r.account.broker.Arrivals(l.subject, l.wake)
		if err != nil {
			r.log.Debug("cannot listen for arrivals; the survey finds them", "lane", l.id, "error", err)
			continue
		}
		l.unlisten = stop
		stops = append(stops, stop)
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// wake opens the lane, unless it is open.
func (l *lane) wake() {
	if !l.stored {
		l.woken.Do(func() { l.region.woken <- l })
	}
}

// openWoken opens lanes as they are woken, until ctx ends.
func (r *region) openWoken(ctx context.Context, all *sync.WaitGroup) {
	for {
		select {
		case l := <-r.woken:
			all.Go(func() { l.openLate(ctx) })
		case <-ctx.Done():
			return
		}
	}
}

// openLate serves a lane that was empty at the beginning.
func (l *lane) openLate(ctx context.Context) {
	recovering, err := l.openAtLast(ctx)
	if err != nil {
		l.region.log.Info("lane stopped before it was open", "lane", l.id, "error", err)
		return
	}
	if l.unlisten != nil {
		l.unlisten() // the consumer tells of arrivals from now on
	}
	l.pull(ctx, recovering, func() {})
}

// storedLanes are the lanes that held commands when the region began.
func (r *region) storedLanes() (stored []*lane) {
	for _, l := range r.lanes {
		if l.stored {
			stored = append(stored, l)
		}
	}
	return stored
}

// lanesAtOnce bounds the lanes of a region that are opened together: a cluster may
// take seconds for each.
const lanesAtOnce = 8

// openLanes makes the consumers and takes back what an earlier owner left in
// them. It tries until it succeeds or ctx ends.
func (r *region) openLanes(ctx context.Context, lanes []*lane) (recovering []int, err error) {
	recovering = make([]int, len(lanes))
	var all errgroup.Group
	all.SetLimit(lanesAtOnce)
	for i, l := range lanes {
		all.Go(func() (err error) {
			recovering[i], err = l.openAtLast(ctx)
			return err
		})
	}
	return recovering, all.Wait()
}

// openAtLast is open, tried until it succeeds or ctx ends.
func (l *lane) openAtLast(ctx context.Context) (recovering int, err error) {
	for try := 0; ; try++ {
		if recovering, err = l.open(ctx); err == nil {
			return recovering, nil
		}
		if try%30 == 0 {
			l.region.log.Warn("cannot open lane; trying on", "lane", l.id, "error", err)
		}
		if sleep(ctx, laneRetry) != nil {
			return 0, err
		}
	}
}

// open makes the lane's consumer; what is unacknowledged in it was an earlier
// owner's and is called back.
func (l *lane) open(ctx context.Context) (recovering int, err error) {
	a := l.region.account
	if l.queue == nil {
		l.queue, err = a.broker.Lane(ctx, l.subject, ackWait, l.maxHeld)
		if err != nil {
			l.queue = nil
			return 0, err
		}
	}
	if recovering, err = l.queue.Unacked(ctx); err != nil || recovering == 0 {
		return recovering, err
	}
	if recovering > l.maxHeld {
		// The limit was lowered since; all of them must fit to be taken over.
		l.maxHeld = recovering
		if l.queue, err = a.broker.Lane(ctx, l.subject, ackWait, l.maxHeld); err != nil {
			l.queue = nil
			return 0, err
		}
	}
	return recovering, l.queue.Reset(ctx)
}
