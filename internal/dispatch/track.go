package dispatch

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// firstPoll is early, so that a short-lived busy status is seen at all.
	firstPoll = 250 * time.Millisecond
	// pollBatch is how many tasks are asked about at once, where the vendor does not
	// say more.
	pollBatch = 100
	// pollGrowth is the factor between the pauses of one task's polls.
	pollGrowth = 1.5
)

// tracker follows the accepted work of one region: one goroutine asks about all
// tasks that are due in batches, so that the number of calls follows the batches
// and not the tasks.
type tracker struct {
	vendor   func(context.Context, []vendors.Task) []vendors.Progress
	interval time.Duration
	batch    int
	wake     chan struct{}

	mu    sync.Mutex
	tasks map[*followed]struct{}
}

type followed struct {
	task  vendors.Task
	span  Span // of its being followed; nil if it is not traced
	next  time.Time
	pause time.Duration
	end   chan *vendors.Progress // buffered; written once by the tracker
}

func newTracker(poll func(context.Context, []vendors.Task) []vendors.Progress, interval time.Duration, batch int) *tracker {
	return &tracker{vendor: poll, interval: interval, batch: cmp.Or(batch, pollBatch), wake: make(chan struct{}, 1), tasks: map[*followed]struct{}{}}
}

// follow returns when the task has ended, or the context's cause.
func (t *tracker) follow(ctx context.Context, task *vendors.Task) (*vendors.Progress, error) {
	pause := min(firstPoll, t.interval)
	f := &followed{task: *task, span: spanOf(ctx), pause: pause, next: time.Now().Add(pause), end: make(chan *vendors.Progress, 1)}
	t.mu.Lock()
	t.tasks[f] = struct{}{}
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
	select {
	case p := <-f.end:
		return p, nil
	case <-ctx.Done():
		t.mu.Lock()
		delete(t.tasks, f)
		t.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

// run polls until ctx ends.
func (t *tracker) run(ctx context.Context) {
	for ctx.Err() == nil {
		due, rest := t.due(time.Now())
		if len(due) == 0 {
			t.idle(ctx, rest)
			continue
		}
		for len(due) > 0 && ctx.Err() == nil {
			n := min(len(due), t.batch)
			t.poll(ctx, due[:n])
			due = due[n:]
		}
	}
}

// idle waits for the next task to fall due, or for a new one.
func (t *tracker) idle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.wake:
	case <-ctx.Done():
	}
}

// due returns the tasks to ask about now, those included that fall due soon, so that
// there are few rounds however many tasks there are; and otherwise how long there is
// nothing to do.
func (t *tracker) due(now time.Time) (due []*followed, rest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rest = time.Hour
	for f := range t.tasks {
		rest = min(rest, f.next.Sub(now))
	}
	if rest > 0 {
		return nil, rest
	}
	for f := range t.tasks {
		if f.next.Sub(now) <= f.pause/2 {
			due = append(due, f)
		}
	}
	// Whoever was asked about longest ago comes first, should not all get their turn.
	slices.SortFunc(due, func(a, b *followed) int { return a.next.Compare(b.next) })
	return due, 0
}

// poll asks about one batch.
func (t *tracker) poll(ctx context.Context, batch []*followed) {
	tasks := make([]vendors.Task, len(batch))
	for i, f := range batch {
		tasks[i] = f.task
	}
	ctx, asked := pollsOf(ctx, batch)
	answers := t.vendor(ctx, tasks)
	asked.end(vendors.Verdict{})
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for i, f := range batch {
		if i < len(answers) && (answers[i].State == vendors.Succeeded || answers[i].State == vendors.Failed) {
			delete(t.tasks, f)
			end := answers[i] // not the others with it
			f.end <- &end
			continue
		}
		if i < len(answers) && answers[i].State == vendors.Running {
			f.task = answers[i].Task
		}
		f.pause = min(t.interval, time.Duration(float64(f.pause)*pollGrowth))
		f.next = now.Add(f.pause)
	}
}
