package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// run is the work on one token: the only goroutine of this process that changes
// its ledger record and speaks to the vendor for it.
type run struct {
	account     *account
	region      *region
	lane        *lane
	delivery    *delivery
	cmd         events.Command // of the delivery that drives the run
	fingerprint string
	place       sync.Once
	placed      chan struct{} // closed by place, once the work has found its place among its like
	confirm     sync.Once
	holds       chan struct{} // closed by confirmed, once the ledger has confirmed the token as this work's
	done        chan struct{} // closed by account.end
	final       bool          // the record was final at the end; read after done

	// first is the command that holds the token; read by others only after
	// the run was found in account.runs, hence set before and replaced never
	// except under account.mu.
	first events.Command
	entry *ledger.Entry
	// words are the vendor's in the outcome that this run has recorded; nil before.
	words *vendors.Response
	// unlock frees the instance; nil while it is not held.
	unlock func()
	// tries counts calls and look-ups that failed without effect.
	tries int
	// refusedAt holds the breaker's probe count at the time our credentials
	// were refused; valid if wasRefused.
	wasRefused bool
	refusedAt  uint64
	queued     time.Time // when it began to wait for the quota, the last time
	// looks counts looks at a busy instance.
	looks int
	// parked: the next stage has begun on a goroutine of its own.
	parked bool
	// attempting is the span of the attempt.
	attempting phase
}

// drive takes the command from wherever its record stands to its final result.
// A nil error means that the delivery is answered, errParked that goOn has to be
// called for the rest.
func (r *run) drive(ctx context.Context) error {
	err := r.begin(ctx)
	if !errors.Is(err, errParked) {
		r.free()
	}
	return err
}

// goOn is the rest of drive, once the vendor has been called.
func (r *run) goOn(ctx context.Context) error {
	err := r.work(ctx)
	if errors.Is(err, errParked) {
		return err
	}
	r.free()
	return unlessAnswered(err)
}

// begin takes the token and works as far as that goes without long waiting.
func (r *run) begin(ctx context.Context) error {
	if !r.account.lease.valid() {
		// Waking from a pause, we would take records from under the new owner.
		return errFenced
	}
	var taken error
	if r.seemsNew() {
		taken = r.outright(ctx)
		if !errors.Is(taken, ledger.ErrTaken) {
			return unlessAnswered(taken)
		}
		r.free()
	}
	_, claim := r.enter(ctx, "claim")
	created, err := r.claim(ctx, taken)
	claim.failed(err)
	if why := toldBefore(err, r.expiry()); why != nil {
		r.takePlace()
		return r.account.answers.refuse(r.hard(), r.cmd, why)
	}
	if err != nil {
		return err
	}
	if r.entry.Fingerprint != r.fingerprint {
		r.takePlace()
		return r.account.refuseHeld(r.delivery)
	}
	r.confirmed()
	if r.entry.State == ledger.Final {
		r.final = true
		r.takePlace()
		return r.announceAgain()
	}
	if !created {
		if err := r.takeOver(ctx); err != nil {
			return err
		}
	}
	r.takePlace()
	return unlessAnswered(r.work(ctx))
}

// unlessAnswered is nil for a delivery that was answered.
func unlessAnswered(err error) error {
	if errors.Is(err, errAnswered) {
		return nil
	}
	return err
}

// work goes from state to state until the record is final.
func (r *run) work(ctx context.Context) (err error) {
	for err == nil {
		switch r.entry.State {
		case ledger.Claimed:
			err = r.start(ctx)
		case ledger.Sending, ledger.Accepted:
			if r.parked = !r.parked; r.parked {
				return errParked
			}
			if r.entry.State == ledger.Sending {
				err = r.reconcile(ctx)
			} else {
				err = r.follow(ctx)
			}
		case ledger.Final:
			r.final = true
			return r.answerOthers()
		}
	}
	return err
}

// confirmed tells that the ledger holds the token for this work.
func (r *run) confirmed() {
	if r.holds != nil { // else nobody waits
		r.confirm.Do(func() { close(r.holds) })
	}
}

// takePlace tells that the work has found its place among its like.
func (r *run) takePlace() {
	r.place.Do(func() { close(r.placed) })
	r.delivery.place(true)
}

// Ends of a run without a final record.
var (
	// errAnswered: the delivery was answered all the same.
	errAnswered = errors.New("answered")
	// errFreed: the token, which another command held, is or may be free again; the
	// delivery begins anew.
	errFreed = errors.New("the token is free again")
	// errParked: the work is at the vendor; what follows may take hours.
	errParked = errors.New("under way at the vendor")
)

// claim takes the token, or reads the record that holds it. taken is the error of a
// draft that has found one.
func (r *run) claim(ctx context.Context, taken error) (created bool, err error) {
	r.entry, created, err = r.account.ledger.ClaimTaken(ctx, r.cmd.Key, eventKey(r.cmd), r.record(), taken)
	if err != nil || created {
		return created, err
	}
	first := firstCommand(r.entry)
	r.account.mu.Lock()
	r.first = first
	r.account.mu.Unlock()
	return false, nil
}

// takeOver makes the work of an earlier owner ours: touching the record fences off
// an owner that may still be about to send; then the instance is taken before new
// work may be.
func (r *run) takeOver(ctx context.Context) error {
	if err := r.store(ctx, func(*ledger.Record) {}); err != nil {
		return err
	}
	if r.entry.State != ledger.Sending && r.entry.State != ledger.Accepted {
		return nil
	}
	wait, _ := r.region.instances.queue(r.cmd.InstanceID, prioUrgent)
	r.takePlace() // nothing new can get before it any more
	unlock, err := wait(ctx)
	if err != nil {
		return err
	}
	r.unlock = unlock
	r.delivery.waiting.start()
	return nil
}

// save records what has happened. It uses the hard context: that must be
// recorded also while we are stopping, and as soon as there is room for it.
func (r *run) save(change func(*ledger.Record)) error {
	return r.store(r.account.hard, change)
}

// store writes the record, and waits for room.
func (r *run) store(ctx context.Context, change func(*ledger.Record)) error {
	return r.storing(ctx, func() error { return r.entry.Save(ctx, change) })
}

// storing writes the record with a save. While our lease is valid, a record that was
// only touched is still ours: a replica that has lost the account did that as it woke
// from a pause, or somebody was told what the record says.
func (r *run) storing(ctx context.Context, save func() error) error {
	for {
		err := save()
		if err == nil {
			r.confirmed()
		}
		if !errors.Is(err, ledger.ErrLost) || !r.stillOurs(ctx) {
			return err
		}
	}
}

// stillOurs reports whether a record that is not as we left it was only touched. It asks
// until that is known and our lease is valid, or ctx ends: to let go of work that is
// under way at the vendor would let other work have its instance.
func (r *run) stillOurs(ctx context.Context) bool {
	for {
		touched, err := r.entry.Reread(ctx)
		switch {
		case err == nil && !touched:
			return false
		case err == nil && r.account.lease.valid():
			return true
		case sleep(ctx, laneRetry/4) != nil:
			return false
		}
	}
}

// free lets the next command have the instance.
func (r *run) free() {
	if r.unlock != nil {
		r.unlock()
		r.unlock = nil
	}
}

// expiry is when the work may no longer start: the time of the command that
// holds the token, whichever delivery drives it.
func (r *run) expiry() time.Time {
	return r.first.Deadline(r.account.conf.Expiry[r.first.Priority])
}

// prio is the command's priority as an index.
func (r *run) prio() int { return r.lane.prio }

// request is the command in the port's words. The password is opened anew for
// each attempt, so that it lives no longer than a call.
func (r *run) request() (vendors.Request, error) {
	password, err := r.account.rules.password(r.cmd)
	if err != nil {
		return vendors.Request{}, fmt.Errorf("open the instance password: %w", err)
	}
	return vendors.Request{
		Operation:   vendors.Operation(r.cmd.Operation),
		InstanceID:  r.cmd.InstanceID,
		BackupID:    r.cmd.Parameters.BackupID,
		TimePoint:   r.cmd.Parameters.TimePoint,
		Password:    password,
		ClientToken: r.cmd.Token,
		Marker:      "sluice-" + r.cmd.Key,
	}, nil
}
