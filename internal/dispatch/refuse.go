package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// A refusal ends a command without a record of its own. But time goes on, and tokens
// come free: where the same event, delivered again, might be told something else, the
// token's record notes what it was told, before it is told.

// noting lets one goroutine at a time note something in a token's record: a batch with
// one token for all of its commands would spend its time on lost compare-and-sets, and
// so would the command that holds the token. Tokens share locks.
type noting [8]chan struct{}

func newNoting() (n noting) {
	for i := range n {
		n[i] = make(chan struct{}, 1)
	}
	return n
}

// lock waits for the lock of a token key, or for ctx to end.
func (n noting) lock(ctx context.Context, key string) (unlock func(), err error) {
	lock := n[int(key[0])%len(n)]
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// refused refuses the delivery for the reason, if there is one, unless its answer
// is in the ledger. It reports whether the delivery is settled.
func (a *account) refused(ctx context.Context, d *delivery, why *events.Refusal) bool {
	resumes, err := a.resumes(ctx, d.Message, d.cmd, why)
	switch {
	case err != nil:
		d.settle(a, err)
		return true
	case why == nil || resumes:
		return false
	}
	d.settle(a, a.answers.refuse(d.within(a.hard), d.cmd, why))
	return true
}

// resumes reports whether a command that would be refused now has its answer in
// the ledger all the same: a redelivery after a crash must not be refused because
// time has passed or the configuration has changed since. Otherwise the ledger has noted
// that its time has passed, if that is why. An error means that ctx ended before.
func (a *account) resumes(ctx context.Context, m broker.Message, cmd events.Command, why *events.Refusal) (bool, error) {
	if cmd.DryRun || why == nil {
		return false, nil
	}
	switch why.Code {
	case events.ReasonExpired, events.ReasonUnknownRegion, events.ReasonOperationNotAllowed, events.ReasonSecretUnavailable, events.ReasonPlaintextSecret:
	default:
		return false, nil
	}
	unlock, err := a.noting.lock(ctx, cmd.Key)
	if err != nil {
		return false, err
	}
	defer unlock()
	for {
		e, err := a.ledger.Get(ctx, cmd.Key)
		if errors.Is(err, broker.ErrNotFound) {
			e, err = a.ledger.Draft(cmd.Key, ledger.Record{Token: cmd.Token, State: ledger.Free}), nil
		}
		var resumes bool
		if err == nil {
			resumes = a.hasAnswer(e, m, cmd, why)
			err = a.noteExpired(ctx, e, cmd, why, resumes)
		}
		switch {
		case err == nil:
			return resumes, nil
		case errors.Is(err, errFenced):
			return false, err
		case errors.Is(err, ledger.ErrLost), errors.Is(err, ledger.ErrTaken): // it says something else by now
		case sleep(ctx, laneRetry) != nil:
			return false, err
		}
	}
}

// hasAnswer reports whether a record has the answer to a command that would be refused
// now, or will have it. Whoever was stored in time may have been told it already at an
// earlier delivery, and is told the same now.
func (a *account) hasAnswer(e *ledger.Entry, m broker.Message, cmd events.Command, why *events.Refusal) bool {
	_, reused := e.ToldReused(eventKey(cmd))
	switch {
	case reused:
		return true
	case e.State == ledger.Free, e.ToldExpired(eventKey(cmd)):
		return false
	case a.lateAgain(m, cmd, why):
		return true
	case e.Fingerprint != cmd.Fingerprint():
		return false
	}
	return sameEvent(firstCommand(e), cmd) || why.Code != events.ReasonExpired && m.Deliveries() > 1
}

// lateAgain reports whether a command whose time has passed may have been delivered before
// it had.
func (a *account) lateAgain(m broker.Message, cmd events.Command, why *events.Refusal) bool {
	return why.Code == events.ReasonExpired && a.inTime(cmd) && !m.First()
}

// inTime reports whether a command was stored before its time had passed.
func (a *account) inTime(cmd events.Command) bool {
	return cmd.Received.Before(cmd.Deadline(a.conf.Expiry[cmd.Priority]))
}

// noteExpired notes in the token's record that a command that was stored in time is told
// that its time has passed: by its next delivery the token may be another's. If it is told
// what the record has instead, the record is touched: a replica that had the command
// before, and wakes from a pause, cannot make that note any more.
func (a *account) noteExpired(ctx context.Context, e *ledger.Entry, cmd events.Command, why *events.Refusal, resumes bool) error {
	if why.Code != events.ReasonExpired || !a.inTime(cmd) || e.ToldExpired(eventKey(cmd)) {
		return nil
	}
	if !a.lease.valid() { // asked after the record was read
		return errFenced
	}
	return e.Save(ctx, func(rec *ledger.Record) {
		if !resumes {
			rec.TellExpired(eventKey(cmd))
		}
	})
}

// refuseHeld refuses a delivery whose token's record is other work's. errFreed means that
// it is not any more, so that the command had better begin anew.
func (a *account) refuseHeld(d *delivery) error {
	unlock, err := a.noting.lock(a.hard, d.cmd.Key)
	if err != nil {
		return err
	}
	defer unlock()
	for {
		e, err := a.ledger.Get(a.hard, d.cmd.Key)
		switch {
		case err == nil && (e.State == ledger.Free || e.Fingerprint == d.cmd.Fingerprint()), errors.Is(err, broker.ErrNotFound):
			return errFreed
		case err == nil:
			if err := a.refuseReuse(d.within(a.hard), d.cmd, e); !errors.Is(err, ledger.ErrLost) {
				return err
			}
		case sleep(a.hard, laneRetry) != nil:
			return err
		}
	}
}

// refuseReuse refuses a command whose token the record has for other work. Work that
// was not sent may expire yet and leave the token free, so that the command, if it comes
// again, would be carried out: the record notes what it is told. ErrLost means that the
// record says something else by now.
func (a *account) refuseReuse(ctx context.Context, cmd events.Command, e *ledger.Entry) error {
	told, again := e.ToldReused(eventKey(cmd))
	if !again {
		told = reuseOf(cmd, firstCommand(e))
	}
	if !again && e.State == ledger.Claimed {
		if err := e.Save(ctx, func(rec *ledger.Record) { rec.TellReused(told) }); err != nil {
			return err
		}
	}
	return a.answers.refuse(ctx, cmd, reused(told))
}

// reuseOf is what a command is told of the first command of its token.
func reuseOf(cmd, first events.Command) ledger.Reuse {
	when := first.Event.Time
	if when.IsZero() {
		when = first.Received
	}
	return ledger.Reuse{Event: eventKey(cmd), FirstID: first.Event.ID, FirstTime: when.UTC()}
}

// reused is the refusal of a token that names other work. It tells of the first
// command what identifies it, and none of its parameters.
func reused(told ledger.Reuse) *events.Refusal {
	return rejected(events.ReasonTokenReused,
		fmt.Sprintf("this clientToken already names another command: id %s of %s", told.FirstID, told.FirstTime.Format(time.RFC3339)),
		"use a new clientToken for every piece of work")
}

// toldBefore is the refusal that a claim has found its event to have been told; nil for
// any other error.
func toldBefore(err error, expiry time.Time) *events.Refusal {
	var before *ledger.ReusedError
	switch {
	case errors.As(err, &before):
		return reused(before.Told)
	case errors.Is(err, ledger.ErrExpired):
		return expired(expiry)
	}
	return nil
}
