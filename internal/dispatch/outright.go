package dispatch

import (
	"context"
	"time"

	"github.com/seed-7b870224/sluice/internal/ledger"
)

// patience is how long a command waits for its instance, and then for its turn, before
// its token is claimed.
const patience = 300 * time.Millisecond

// seemsNew reports that nothing is known against the command being new and on its way
// soon. What was delivered before has most likely a record, and a call for many is
// waited for.
func (r *run) seemsNew() bool {
	return !r.delivery.known && r.delivery.Deliveries() == 1 && r.region.isOpen() && !r.gathers()
}

// isOpen reports that nothing keeps new work from the vendor.
func (r *region) isOpen() bool {
	select {
	case <-r.takenOver:
		return !r.breaker.isOpen()
	default:
		return false
	}
}

// outright works on a command before its token is claimed. What is recorded first
// claims it, which is the intent if the command need not wait: one write instead of
// two. Until then nothing has an effect, and whoever crashes before has done nothing.
// ErrTaken means that the token has a record already, and that nothing was done.
func (r *run) outright(ctx context.Context) error {
	r.entry = r.account.ledger.Draft(r.cmd.Key, r.record())
	r.takePlace()
	return r.work(ctx)
}

// claimSoon claims the token if the waiting that the caller begins takes longer than a
// moment, and calls fail if that cannot be. The caller must call settle as soon as it has
// waited, and may not use the entry before. over says that there is nothing to wait for.
func (r *run) claimSoon(ctx context.Context, fail func(error), over bool) (settle func() error) {
	if over || !r.entry.Draft() {
		return func() error { return nil }
	}
	var err error
	done := make(chan struct{})
	timer := time.AfterFunc(patience, func() {
		defer close(done)
		if err = r.secure(ctx); err != nil {
			fail(err)
		}
	})
	return func() error {
		if timer.Stop() {
			return nil
		}
		<-done
		return err
	}
}

// secure claims the token of a command that has to wait after all.
func (r *run) secure(ctx context.Context) error {
	if !r.entry.Draft() {
		return nil
	}
	_, claim := r.enter(ctx, "claim")
	err := r.store(ctx, func(*ledger.Record) {})
	claim.failed(err)
	return err
}

// record is the record of a token that is new.
func (r *run) record() ledger.Record {
	return ledger.Record{State: ledger.Claimed, Token: r.cmd.Token, Fingerprint: r.fingerprint, Command: r.cmd.AppendJSON(make([]byte, 0, 512))}
}
