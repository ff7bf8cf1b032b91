package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// carry takes a checked command to its end. At most one run works on a token;
// every other delivery of it waits for that run and is then answered from the
// ledger. mine and other are what begin gave the delivery.
func (a *account) carry(ctx context.Context, d *delivery, mine, other *run) stage {
	for {
		var ended bool
		if other != nil {
			ended = a.waitFor(ctx, d, mine, other)
		} else {
			err := mine.drive(ctx)
			if errors.Is(err, errParked) {
				return func() stage { return a.carryOn(ctx, d, mine) }
			}
			ended = a.driven(ctx, d, mine, err)
		}
		if ended {
			return nil
		}
		mine, other = a.begin(d)
	}
}

// carryOn takes a command on from where its work is under way at the vendor.
func (a *account) carryOn(ctx context.Context, d *delivery, mine *run) stage {
	err := mine.goOn(ctx)
	if errors.Is(err, errParked) {
		return func() stage { return a.carryOn(ctx, d, mine) }
	}
	if a.driven(ctx, d, mine, err) {
		return nil
	}
	mine, other := a.begin(d)
	return a.carry(ctx, d, mine, other)
}

// driven settles the delivery that has driven its token's work, which it reports. It
// does not if the token, whose holder was another command, is free again.
func (a *account) driven(ctx context.Context, d *delivery, mine *run, err error) bool {
	a.end(mine)
	if errors.Is(err, errFreed) {
		return a.refused(ctx, d, a.rules.check(d.cmd, time.Now()))
	}
	d.settle(a, err)
	return true
}

// waitFor waits for the run that works on the delivery's token. It reports
// whether the delivery is settled.
func (a *account) waitFor(ctx context.Context, d *delivery, mine, other *run) bool {
	placed, holds := other.placed, other.holds
	if other.fingerprint == mine.fingerprint {
		d.waiting.start()
		holds = nil
	} else {
		placed = nil
	}
	for {
		select {
		case <-placed: // the other run has found the place for both
			d.place(true)
			placed = nil
		case <-holds: // the ledger has confirmed that the token is the other's
			d.settle(a, a.refuseHeld(d))
			return true
		case <-other.done:
			// Whoever came in time gets the outcome it has waited for; but it
			// may not start work of its own once its time is over.
			return !other.final && a.refused(ctx, d, a.rules.check(d.cmd, time.Now()))
		case <-ctx.Done():
			d.settle(a, context.Cause(ctx))
			return true
		}
	}
}

// settle acknowledges an answered delivery, or gives it back if it could not be
// answered.
func (d *delivery) settle(a *account, err error) {
	defer d.over(err)
	d.place(err == nil)
	if err == nil {
		d.lane.settled(a.hard, d.Message)
		return
	}
	if errors.Is(err, ledger.ErrLost) && a.fenced.due(time.Now()) {
		a.log.Warn("another replica has taken over: our ledger writes are refused, and what we held is let go", "lane", d.lane.id, "error", err)
	}
	tracedLog(d.within(a.hard), a.log, d.cmd).Debug("command given back", "lane", d.lane.id, "error", err)
	delay := time.Second
	if a.soft.Err() != nil {
		delay = 0 // we are stopping: another replica goes on at once
	}
	d.lane.returned(d.Message, delay)
}

// begin makes the run of a token, or returns the one that is under way.
func (a *account) begin(d *delivery) (mine, other *run) {
	mine = &run{
		account: a, region: d.lane.region, lane: d.lane, delivery: d, cmd: d.cmd,
		fingerprint: d.cmd.Fingerprint(), first: d.cmd, placed: make(chan struct{}), holds: make(chan struct{}), done: make(chan struct{}),
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	d.known = a.recent.Add(d.cmd.Key)
	if other := a.runs[d.cmd.Key]; other != nil {
		return mine, other
	}
	a.runs[d.cmd.Key] = mine
	return mine, nil
}

// end lets the deliveries that wait for the run go on.
func (a *account) end(r *run) {
	a.mu.Lock()
	delete(a.runs, r.cmd.Key)
	a.leave(r)
	a.mu.Unlock()
	close(r.done)
}

// firstCommand is the command that took the token.
func firstCommand(e *ledger.Entry) events.Command {
	var c events.Command
	// A record that does not decode was written by a newer version; the zero
	// command then matches nothing, which errs towards answering as a duplicate.
	_ = json.Unmarshal(e.Command, &c)
	return c
}

// eventKey names a command's event in the ledger.
func eventKey(c events.Command) string { return events.EventKey(c.Event.Source, c.Event.ID) }

// sameEvent reports whether two commands are the same event.
func sameEvent(a, b events.Command) bool {
	return a.Event.ID == b.Event.ID && a.Event.Source == b.Event.Source
}
