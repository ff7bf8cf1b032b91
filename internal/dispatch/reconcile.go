package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// lapseMargin is added to a signature's life: clocks differ.
	lapseMargin = 30 * time.Second
	// giveUpAfter is how long after the life of the signature a lost answer is
	// looked for; the contract allows two minutes.
	giveUpAfter = 110 * time.Second
	// firstLook and mostLook bound the pauses between looks, lateLook is the
	// pause once the signature has lapsed.
	firstLook = 500 * time.Millisecond
	mostLook  = 15 * time.Second
	lateLook  = 10 * time.Second
)

// reconcile finds out what became of a call whose answer was lost. It sends no
// mutation: it ends in proof that the work was taken, in proof that it was not,
// or in an outcome for a person to look at.
func (r *run) reconcile(ctx context.Context) error {
	last := r.entry.Last()
	if last == nil {
		return r.undetermined("the record names no attempt")
	}
	req, err := r.request()
	if err != nil {
		// Looking up needs no password.
		req = vendors.Request{Operation: vendors.Operation(r.cmd.Operation), InstanceID: r.cmd.InstanceID,
			BackupID: r.cmd.Parameters.BackupID, ClientToken: r.cmd.Token, Marker: "sluice-" + r.cmd.Key}
	}
	lapse := last.SignedAt.Add(r.account.conf.Facts.SignatureLife)
	intent := vendors.Intent{Baseline: last.Baseline, SignedAt: last.SignedAt, FirstLook: time.Now()}
	evidence := "no look-up was answered"
	for pause := firstLook; ; pause = min(pause*2, mostLook) {
		if err := sleep(ctx, r.untilLook(pause, lapse)); err != nil {
			return err
		}
		intent.Lapsed = time.Now().After(lapse.Add(lapseMargin))
		f := r.look(ctx, req, intent, lapse)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if f.Evidence != "" {
			evidence = f.Evidence
		}
		if f.Conclusion != vendors.Unclear {
			return r.conclude(ctx, f)
		}
		intent.LooksClear++
		if !f.Clear {
			intent.LooksClear = 0
		}
		if time.Now().After(lapse.Add(giveUpAfter)) {
			return r.undetermined(evidence)
		}
	}
}

// untilLook is the pause before the next look. A look falls on the moment from
// which absence proves something.
func (r *run) untilLook(pause time.Duration, lapse time.Time) time.Duration {
	proof := time.Until(lapse.Add(lapseMargin)) + time.Millisecond
	if proof > 0 {
		return min(pause, proof)
	}
	return min(pause, lateLook)
}

// look asks once; a look-up that waits for quota or breaker is cut off at the
// latest moment for an answer.
func (r *run) look(ctx context.Context, req vendors.Request, intent vendors.Intent, lapse time.Time) vendors.Finding {
	ctx, cancel := context.WithDeadline(ctx, lapse.Add(giveUpAfter))
	defer cancel()
	return r.region.vendor.Reconcile(withPriority(ctx, r.prio()), req, intent)
}

// conclude acts on what a look has shown.
func (r *run) conclude(ctx context.Context, f vendors.Finding) error {
	r.region.log.Info("reconciled", "instance", r.cmd.InstanceID, "operation", r.cmd.Operation,
		"conclusion", int(f.Conclusion), "evidence", f.Evidence)
	switch f.Conclusion {
	case vendors.Ran, vendors.RanDone, vendors.RanError:
		// If its end was seen too, following the task announces both.
		return r.accept(vendors.Verdict{Kind: vendors.Accepted, Task: f.Task}, f.Evidence)
	case vendors.NotRun:
		return r.notRun(ctx, f)
	}
	return r.undetermined(f.Evidence)
}

// notRun goes on as after a call that failed without effect.
func (r *run) notRun(ctx context.Context, f vendors.Finding) error {
	err := r.save(func(rec *ledger.Record) {
		if last := rec.Last(); last != nil {
			last.Evidence = f.Evidence
		}
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
func (r *run) undetermined(evidence string) error {
	v := vendors.Verdict{Kind: vendors.Ambiguous}
	if last := r.entry.Last(); last != nil {
		v.Response = responseOf(last.Answer)
	}
	return r.finish(events.Indeterminate, v, events.ReasonOutcomeUnknown,
		fmt.Sprintf("the answer was lost and no look-up could tell whether it ran: %s", evidence), evidence)
}
