package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// follow announces accepted work, waits for its end and judges that. Thousands wait at
// a time: what the other two need of the stack is not there while they do.
func (r *run) follow(ctx context.Context) error {
	task, err := r.announceAccepted()
	if err != nil {
		return err
	}
	progress, err := r.awaitEnd(ctx, task)
	return r.judgeEnd(ctx, task, progress, err)
}

// announceAccepted publishes the result and returns the recorded task.
func (r *run) announceAccepted() (*vendors.Task, error) {
	task := new(vendors.Task)
	if err := json.Unmarshal(r.entry.Task, task); err != nil {
		return nil, fmt.Errorf("recorded task does not decode: %w", err)
	}
	res := r.facts(r.first, events.Accepted)
	if last := r.entry.Last(); last != nil && last.Finding == nil {
		res.VendorResponse = r.vendorResponse(responseOf(last.Answer))
	}
	return task, r.account.answers.result(r.hard(), r.first, res, false)
}

// awaitEnd returns how the task has ended, or the cause if nobody waits for it longer.
func (r *run) awaitEnd(ctx context.Context, task *vendors.Task) (*vendors.Progress, error) {
	timed, cancel := context.WithDeadlineCause(ctx, task.AcceptedAt.Add(r.account.conf.Track.Timeout), errExpired)
	defer cancel()
	timed, track := r.enterAt(timed, "track", task.AcceptedAt)
	progress, err := r.region.tracker.follow(timed, task)
	track.followed(task, progress, err)
	return progress, err
}

// judgeEnd records and announces how the task has ended.
func (r *run) judgeEnd(ctx context.Context, task *vendors.Task, progress *vendors.Progress, err error) error {
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		return r.finish(events.Indeterminate, vendors.Verdict{}, events.ReasonTrackTimeout,
			fmt.Sprintf("the vendor took the work, but it had not ended after %v", r.account.conf.Track.Timeout), nil)
	}
	r.stage(stageTracked, time.Since(task.AcceptedAt))
	v := progress.Verdict
	if progress.State == vendors.Succeeded {
		return r.succeed(v)
	}
	if v.Reason == "" {
		v.Reason = events.ReasonTaskFailed
	}
	return r.fail(v)
}
