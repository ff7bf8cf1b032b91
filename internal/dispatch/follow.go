package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// follow announces accepted work and waits for its end.
func (r *run) follow(ctx context.Context) error {
	var task vendors.Task
	if err := json.Unmarshal(r.entry.Task, &task); err != nil {
		return fmt.Errorf("recorded task does not decode: %w", err)
	}
	res := r.facts(r.first, events.Accepted)
	if last := r.entry.Last(); last != nil && last.Finding == nil {
		res.VendorResponse = r.vendorResponse(last.Answer)
	}
	if err := r.account.answers.result(r.hard(), r.first, res, false); err != nil {
		return err
	}
	limit := r.account.conf.Track.Timeout
	timed, cancel := context.WithDeadlineCause(ctx, task.AcceptedAt.Add(limit), errExpired)
	defer cancel()
	timed, track := r.enterAt(timed, "track", task.AcceptedAt)
	progress, err := r.region.tracker.follow(timed, task)
	track.followed(task, progress, err)
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		return r.finish(events.Indeterminate, vendors.Verdict{}, events.ReasonTrackTimeout,
			fmt.Sprintf("the vendor took the work, but it had not ended after %v", limit), nil)
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
