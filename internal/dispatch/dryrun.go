package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// dryRun does everything but the mutation: it looks the instance up and answers
// with the call that would have been made. It neither takes nor reads the token.
func (a *account) dryRun(ctx context.Context, d *delivery) error {
	d.waiting.start()
	r := &run{account: a, region: d.lane.region, lane: d.lane, delivery: d, cmd: d.cmd, first: d.cmd}
	timed, cancel := context.WithDeadlineCause(ctx, r.expiry(), errExpired)
	defer cancel()
	for try := 1; ; try++ {
		v, plan, err := r.preview(timed)
		if errors.Is(err, errExpired) {
			return a.answers.refuse(d.within(a.hard), d.cmd, expired(r.expiry()))
		}
		if err != nil {
			return err
		}
		retry := v.Kind == vendors.Transient || v.Kind == vendors.Throttled
		if retry && try < a.conf.Retry.Attempts {
			if err := sleep(timed, a.jitter(a.conf.Retry.MinBackoff, a.conf.Retry.MaxBackoff, try)); err != nil && !errors.Is(err, errExpired) {
				return err
			}
			continue
		}
		return a.answers.result(d.within(a.hard), d.cmd, preview(d.cmd, v, plan), true)
	}
}

// preview makes the look-ups and plans the call.
func (r *run) preview(ctx context.Context) (vendors.Verdict, vendors.Plan, error) {
	if err := r.region.breaker.wait(ctx); err != nil {
		return vendors.Verdict{}, vendors.Plan{}, err
	}
	req, err := r.request()
	if err != nil {
		return vendors.Verdict{Kind: vendors.Refused, Reason: events.ReasonSecretUnavailable, Message: err.Error()}, vendors.Plan{}, nil
	}
	ctx, asked := r.requests(ctx, "")
	_, v := r.region.vendor.Prepare(withPriority(ctx, r.prio()), req)
	asked.end(v)
	if ctx.Err() != nil {
		return v, vendors.Plan{}, context.Cause(ctx)
	}
	return v, r.region.vendor.Plan(req), nil
}

// preview is the answer of a dry run.
func preview(c events.Command, v vendors.Verdict, plan vendors.Plan) events.Result {
	res := c.NewResult(events.Succeeded)
	if v.Kind == vendors.Done {
		res.Plan = &events.Plan{Action: plan.Action, Endpoint: plan.Endpoint, Request: plan.Request}
	} else {
		res = c.NewResult(events.Failed)
		res.Reason = &events.Reason{Code: v.Reason, Message: v.Message, Hint: hints[v.Reason]}
	}
	res.DryRun = true
	res.VendorResponse = wordsOf(v.Response)
	res.Times.Finished = events.At(time.Now())
	return res
}

// wordsOf is the vendor's answer as results report it; nil if there is none.
func wordsOf(resp vendors.Response) *events.VendorResponse {
	if resp.IsZero() {
		return nil
	}
	return &events.VendorResponse{HTTPStatus: resp.HTTPStatus, Code: resp.Code, Message: resp.Message,
		RequestID: resp.RequestID, TaskID: resp.TaskID}
}
