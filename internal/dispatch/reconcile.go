package dispatch

import (
	"context"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// reconcile finds out what became of a call whose answer was lost. It sends no
// mutation: it ends in proof that the work was taken, in proof that it was not,
// or in an outcome for a person to look at.
func (r *run) reconcile(ctx context.Context) error {
	ctx, phase := r.enter(ctx, "reconcile")
	defer phase.end()
	last := r.entry.Last()
	if last == nil {
		return r.undetermined("the record names no attempt", nil)
	}
	req, err := r.request()
	if err != nil {
		// Looking up needs no password.
		req = vendors.Request{Operation: vendors.Operation(r.cmd.Operation), InstanceID: r.cmd.InstanceID,
			BackupID: r.cmd.Parameters.BackupID, TimePoint: r.cmd.Parameters.TimePoint, ClientToken: r.cmd.Token, Marker: "sluice-" + r.cmd.Key}
	}
	within := r.account.search(last.SignedAt)
	intent := vendors.Intent{Baseline: last.Baseline, SignedAt: last.SignedAt}
	found := vendors.Finding{Evidence: "no look-up was answered", Verdict: vendors.Verdict{Kind: vendors.Transient}}
	for looks, pause := 1, within.FirstLook; ; looks, pause = looks+1, min(pause*2, within.MostLook) {
		if err := sleep(ctx, within.untilLook(pause)); err != nil {
			return err
		}
		began := time.Now()
		if !began.Before(within.end) {
			return r.conclude(ctx, found, looks-1)
		}
		intent.Lapsed = within.lapsed(began)
		f := r.look(ctx, req, intent, within)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		found = weigh(found, f)
		if f.Conclusion != vendors.Unclear {
			return r.conclude(ctx, found, looks)
		}
		count(&intent, f, began)
	}
}

// weigh adds a look to what was found before. A look that failed tells nothing
// beside one that compared something.
func weigh(before, f vendors.Finding) vendors.Finding {
	failed := f.Verdict.Kind > vendors.Done
	compared := before.Verdict.Kind <= vendors.Done
	if f.Evidence == "" || f.Conclusion == vendors.Unclear && failed && compared {
		f.Evidence, f.Verdict = before.Evidence, before.Verdict
	}
	return f
}

// count keeps count of the looks in a row that found nothing. Those begun while
// the signature lived say nothing of a request that arrived after them.
func count(intent *vendors.Intent, f vendors.Finding, began time.Time) {
	if !f.Clear || !intent.Lapsed {
		intent.LooksClear, intent.ClearSince = 0, time.Time{}
		return
	}
	if intent.LooksClear == 0 {
		intent.ClearSince = began
	}
	intent.LooksClear++
}

// look asks once; a look-up that waits for quota or breaker is cut off at the
// latest moment for an answer.
func (r *run) look(ctx context.Context, req vendors.Request, intent vendors.Intent, within search) vendors.Finding {
	ctx, cancel := context.WithDeadline(ctx, within.end)
	defer cancel()
	ctx, asked := r.requests(ctx, "")
	f := r.region.vendor.Reconcile(withPriority(ctx, r.prio()), req, intent)
	asked.end(f.Verdict)
	return f
}

// conclude acts on what the looks have shown.
func (r *run) conclude(ctx context.Context, f vendors.Finding, looks int) error {
	conf := r.account.conf
	r.account.metrics.Reconciled.WithLabelValues(conf.Facts.Name, conf.Name, r.region.name, f.Conclusion.String()).Inc()
	r.concluded(ctx, f, looks)
	tracedLog(ctx, r.region.log, r.cmd).Info("reconciled", "instance", r.cmd.InstanceID, "operation", r.cmd.Operation,
		"conclusion", f.Conclusion.String(), "evidence", f.Evidence, "looks", looks)
	note := r.found(f, looks)
	switch f.Conclusion {
	case vendors.Ran, vendors.RanDone, vendors.RanError:
		// If its end was seen too, following the task announces both.
		return r.accept(vendors.Verdict{Kind: vendors.Accepted, Task: f.Task}, note)
	case vendors.NotRun:
		return r.notRun(ctx, f, note)
	}
	return r.undetermined(f.Evidence, note)
}

// found notes what became of a lost answer.
func (r *run) found(f vendors.Finding, looks int) mark {
	return func(last *ledger.Attempt) {
		last.Finding = &ledger.Finding{Conclusion: f.Conclusion.String(), Evidence: f.Evidence, Looks: looks,
			Replica: r.account.replica, At: time.Now().UTC()}
	}
}

// notRun goes on as after a call that failed without effect.
func (r *run) notRun(ctx context.Context, f vendors.Finding, note mark) error {
	err := r.save(func(rec *ledger.Record) {
		note.on(rec)
		rec.State = ledger.Claimed
	})
	if err != nil {
		return err
	}
	return r.judge(ctx, vendors.Verdict{
		Kind: vendors.Transient, Reason: events.ReasonVendorUnavailable,
		Message: "the answer was lost, and the vendor's records show that nothing ran: " + f.Evidence,
	})
}

// undetermined hands the question to a person.
func (r *run) undetermined(evidence string, note mark) error {
	v := vendors.Verdict{Kind: vendors.Ambiguous}
	if last := r.entry.Last(); last != nil {
		v.Response = responseOf(last.Answer)
	}
	return r.finish(events.Indeterminate, v, events.ReasonOutcomeUnknown,
		"the answer was lost and no look-up could tell whether it ran: "+evidence, note)
}
