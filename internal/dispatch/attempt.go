package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Causes that end a wait or withhold a call.
var (
	errExpired = errors.New("the command's time has passed")
	errFenced  = errors.New("this replica no longer owns the account")
	errYield   = errors.New("a more urgent command wants the instance")
)

// busyPause is the longest pause between looks at a busy instance.
const busyPause = 10 * time.Second

// start waits for the instance, the turn and the breaker, in that order, so that
// no permit is spent on work that cannot start; then it makes one attempt.
func (r *run) start(ctx context.Context) error {
	timed, cancel := context.WithDeadlineCause(ctx, r.expiry(), errExpired)
	defer cancel()
	timed, r.attempting = r.enter(timed, "attempt")
	v, err := r.attempt(timed)
	r.attempting.judged(r, v, err)
	switch {
	case errors.Is(err, errExpired):
		return r.timeUp(vendors.Verdict{})
	case errors.Is(err, errRegroup), errors.Is(err, errYield):
		r.free()
		return nil // nothing of it was sent; from the beginning
	case err != nil:
		return err
	}
	return r.judge(ctx, v)
}

// attempt makes one try: look-ups, signature, intent, permit, call.
func (r *run) attempt(ctx context.Context) (vendors.Verdict, error) {
	if err := r.region.recovered(ctx, r.cmd.InstanceID); err != nil {
		return vendors.Verdict{}, err
	}
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := r.takeInstance(waiting, cancel); err != nil {
		return vendors.Verdict{}, err
	}
	r.queues()
	if r.prio() > prioUrgent {
		// An alert must not wait behind a batch that has the same instance.
		r.region.instances.yielding(r.cmd.InstanceID, func() { cancel(errYield) })
	}
	if p := r.pool(); p != nil {
		return p.join(ctx, waiting, r)
	}
	return r.alone(ctx, waiting, cancel)
}

// takeInstance waits until the instance is the command's.
func (r *run) takeInstance(ctx context.Context, fail func(error)) error {
	wait, free := r.region.instances.queue(r.cmd.InstanceID, r.prio())
	settle := r.claimSoon(ctx, fail, free)
	unlock, err := wait(ctx)
	if err == nil {
		r.unlock = unlock // free gives it on, whatever comes
	}
	failed := settle()
	return cmp.Or(err, failed)
}

// queues notes when the command began to wait for the quota.
func (r *run) queues() {
	r.queued = time.Now()
	if r.entry.Attempts == 0 && r.tries == 0 {
		r.stage(stageQueued, r.queued.Sub(r.cmd.Received))
	}
}

// hasTurn ends the waiting for the quota, which it notes, and the time in which the
// command lets a more urgent one have its instance.
func (r *run) hasTurn() {
	r.region.instances.yielding(r.cmd.InstanceID, nil)
	waited := time.Since(r.queued)
	r.stage(stagePaced, waited)
	r.tracePace(waited)
	r.region.pacer(r.action()).meters.wait.Observe(waited.Seconds())
}

// alone makes one try in a call of the command's own. Until it has its turn it waits
// under a context of its own.
func (r *run) alone(ctx, waiting context.Context, fail func(error)) (vendors.Verdict, error) {
	var shared *prospect
	if r.prio() == prioBulk {
		shared = r.region.outlook.expect(ctx, r.cmd.InstanceID)
		defer shared.leave()
	}
	turn := r.region.pacer(r.action()).next(r.prio())
	settle := r.claimSoon(waiting, fail, turn.has())
	err := turn.come(waiting)
	if err == nil {
		defer turn.release()
	}
	failed := settle()
	if err := cmp.Or(err, failed); err != nil {
		return vendors.Verdict{}, err
	}
	r.hasTurn()
	if r.region.breaker.isOpen() {
		if err := r.secure(ctx); err != nil {
			return vendors.Verdict{}, err
		}
	}
	if err := r.region.breaker.wait(ctx); err != nil {
		return vendors.Verdict{}, err
	}
	return r.call(ctx, turn, shared)
}

// call makes the look-ups and the call, in the command's turn.
func (r *run) call(ctx context.Context, turn *turn, shared *prospect) (vendors.Verdict, error) {
	var req vendors.Request
	base, v, err := r.prepare(ctx, &req, shared)
	if err != nil || v.Kind != vendors.Done {
		return v, err
	}
	r.delivery.waiting.start()
	return r.execute(ctx, req, base, turn)
}

// prepare makes the request and the look-ups that precede it. A look-up has no
// effect, so that it may be cut off by expiry or a stop.
func (r *run) prepare(ctx context.Context, req *vendors.Request, shared *prospect) (vendors.Baseline, vendors.Verdict, error) {
	var err error
	if *req, err = r.request(); err != nil {
		return nil, vendors.Verdict{Kind: vendors.Refused, Reason: events.ReasonSecretUnavailable, Message: err.Error()}, nil
	}
	ctx = withPriority(ctx, r.prio())
	var v vendors.Verdict
	if req.Seen, v = shared.look(ctx); v.Kind != vendors.Done {
		return nil, v, nil
	}
	ctx, asked := r.requests(ctx, "")
	base, v := r.region.vendor.Prepare(ctx, *req)
	asked.end(v)
	if v.Kind != vendors.Done && ctx.Err() != nil {
		return nil, v, context.Cause(ctx)
	}
	return base, v, nil
}

// execute sends the mutation. The call itself is cut off by nothing but its own
// timeout: interrupting it would only lose its answer.
func (r *run) execute(ctx context.Context, req vendors.Request, base vendors.Baseline, turn *turn) (vendors.Verdict, error) {
	sent := time.Now()
	ctx, asked := r.requests(ctx, r.action())
	v := r.region.vendor.Execute(turn.followed(context.WithoutCancel(ctx)), req, base, func(_ context.Context, signedAt time.Time) error {
		err := r.commit(ctx, signedAt, base, turn)
		sent = time.Now()
		return err
	})
	asked.end(v)
	if v.Kind == vendors.Withheld {
		return v, r.withdraw(v.Err)
	}
	r.stage(stageVendor, time.Since(sent))
	return v, nil
}

// commit is the fence between the signature and the first byte: intent recorded,
// permit taken, lease still ours, time not up.
func (r *run) commit(ctx context.Context, signedAt time.Time, base vendors.Baseline, turn *turn) error {
	if err := r.intend(signedAt, base); err != nil {
		return err
	}
	_, permit := r.enter(ctx, "permit")
	err := turn.permit(ctx)
	permit.failed(err)
	if err != nil {
		return err
	}
	return r.maySend()
}

// intend records the intent, by compare-and-set. It does not wait for room in the
// ledger: the signature would grow old.
func (r *run) intend(signedAt time.Time, base vendors.Baseline) error {
	recording := r.recording()
	err := r.storing(r.account.hard, func() error {
		return r.entry.TrySave(r.account.hard, func(rec *ledger.Record) {
			rec.Begin(ledger.Attempt{SignedAt: signedAt, Replica: r.account.replica, Baseline: base})
		})
	})
	recording.failed(err)
	return err
}

// maySend is asked last before the first byte: time not up, lease still ours.
func (r *run) maySend() error {
	if !time.Now().Before(r.expiry()) {
		return errExpired
	}
	if !r.account.lease.valid() {
		return errFenced
	}
	return nil
}

// withdraw takes back an intent that was not followed by a call. If that fails,
// the intent stands and is reconciled like any other, which is slower but as
// safe.
func (r *run) withdraw(cause error) error {
	if r.entry.State != ledger.Sending {
		return cause
	}
	err := r.save(func(rec *ledger.Record) {
		rec.State = ledger.Claimed
		rec.Attempts--
		rec.History = rec.History[:len(rec.History)-1]
		if rec.Attempts == 0 {
			rec.Started = time.Time{}
		}
	})
	if err != nil {
		return fmt.Errorf("%w; the intent could not be withdrawn: %w", cause, err)
	}
	r.free()
	return cause
}

// judge turns an answer into the next state of the record.
func (r *run) judge(ctx context.Context, v vendors.Verdict) error {
	now := time.Now()
	switch v.Kind {
	case vendors.Transient:
		r.tries++
	}
	repeated := r.wasRefused && r.region.breaker.probes.Load() > r.refusedAt
	if v.Kind == vendors.Unauthorized && !r.wasRefused {
		r.wasRefused, r.refusedAt = true, r.region.breaker.probes.Load()
	}
	next := decide(situation{
		Kind: v.Kind, Tries: r.tries, MaxTries: r.account.conf.Retry.Attempts,
		Sent: r.entry.Attempts > 0, Expired: !now.Before(r.expiry()), Repeated: repeated,
	})
	if r.region.log.Enabled(ctx, slog.LevelDebug) {
		tracedLog(ctx, r.region.log, r.cmd).Debug("judged", "instance", r.cmd.InstanceID, "operation", r.cmd.Operation, "verdict", v.Kind.String(),
			"reason", v.Reason, "code", v.Response.Code, "step", next.String(), "attempt", r.entry.Attempts)
	}
	switch next {
	case stepSucceed:
		return r.succeed(v)
	case stepFollow:
		return r.accept(v, answered(v))
	case stepReconcile:
		return r.save(func(rec *ledger.Record) { answered(v).on(rec) })
	case stepFail:
		return r.fail(v)
	case stepExpire:
		return r.timeUp(v)
	}
	return r.again(ctx, next, v)
}

// again puts the command back to waiting, its token claimed.
func (r *run) again(ctx context.Context, next step, v vendors.Verdict) error {
	if err := r.secure(r.hard()); err != nil {
		return err
	}
	if r.entry.State == ledger.Sending {
		err := r.save(func(rec *ledger.Record) {
			answered(v).on(rec)
			rec.State = ledger.Claimed
		})
		if err != nil {
			return err
		}
	}
	r.free()
	timed, cancel := context.WithDeadlineCause(ctx, r.expiry(), errExpired)
	defer cancel()
	err := sleep(timed, r.pause(next, v))
	if errors.Is(err, errExpired) {
		return r.timeUp(v)
	}
	return err
}

// pause is how long the command rests before it queues again.
func (r *run) pause(next step, v vendors.Verdict) time.Duration {
	retry := r.account.conf.Retry
	switch next {
	case stepRetry:
		return max(v.RetryAfter, r.account.jitter(retry.MinBackoff, retry.MaxBackoff, r.tries))
	case stepWait:
		r.looks++
		return r.account.jitter(retry.MinBackoff, min(retry.MaxBackoff, busyPause), r.looks)
	}
	// The limiter, or the breaker, does the waiting.
	return 0
}

// jitter is a backoff with full jitter, never below half the least.
func (a *account) jitter(least, most time.Duration, n int) time.Duration {
	ceiling := most
	if n = max(n, 1); n < 20 && least<<(n-1) < most {
		ceiling = least << (n - 1)
	}
	return least/2 + time.Duration(a.rand()*float64(ceiling))
}

// action is the vendor's name of the mutation.
func (r *run) action() string {
	return r.account.conf.Facts.Actions[vendors.Operation(r.cmd.Operation)]
}
