package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// receive takes one message of a lane through decoding and checking to its run,
// and returns when the message is settled or given back. known, if not nil, is
// called as soon as the command has found its place.
func (a *account) receive(ctx context.Context, l *lane, m broker.Message, known func()) {
	if known == nil {
		known = func() {}
	}
	a.metrics.Received.Inc()
	a.hands.take(m)
	a.work.Add(1)
	defer a.work.Done()
	defer known()
	waiting := &waitingMark{lane: l}
	defer waiting.leave(1)
	cmd, err := read(m, l.id)
	var refusal *refusalError
	var bad *events.Undecodable
	switch {
	case errors.As(err, &bad):
		err = a.answers.deadLetter(a.hard, m, bad)
	case errors.As(err, &refusal):
		err = a.answers.refuse(a.hard, refusal.cmd, refusal.why)
	default:
		if why := a.rules.check(cmd, time.Now()); why != nil && !a.resumes(ctx, cmd, why) {
			err = a.answers.refuse(a.hard, cmd, why)
			break
		}
		d := &delivery{Message: m, cmd: cmd, lane: l}
		if cmd.DryRun {
			err = a.dryRun(ctx, d, waiting)
			break
		}
		a.carry(ctx, d, waiting, known)
		return
	}
	if err != nil {
		a.log.Debug("message given back", "lane", l.id, "error", err)
		l.returned(m, time.Second)
		return
	}
	l.settled(a.hard, m)
}

// refusalError carries a refusal out of read.
type refusalError struct {
	cmd events.Command
	why *events.Refusal
}

// Error is the refusal's message.
func (e *refusalError) Error() string { return e.why.Message }

// read decodes a lane's message and compares it with its subject.
func read(m broker.Message, on events.Lane) (events.Command, error) {
	env, err := events.Open(m.Header(), m.Data())
	if err != nil {
		return events.Command{}, err
	}
	cmd, why := events.Parse(env, m.Received())
	if why == nil {
		why = cmd.Matches(on)
	}
	if why != nil {
		return cmd, &refusalError{cmd, why}
	}
	return cmd, nil
}

// resumes reports whether a command that would be refused now is the one that
// holds its token: a redelivery after a crash must not be refused because time
// has passed or the configuration has changed since.
func (a *account) resumes(ctx context.Context, cmd events.Command, why *events.Refusal) bool {
	if cmd.DryRun {
		return false
	}
	switch why.Code {
	case events.ReasonExpired, events.ReasonOperationNotAllowed, events.ReasonSecretUnavailable, events.ReasonPlaintextSecret:
	default:
		return false
	}
	for {
		e, err := a.ledger.Get(ctx, cmd.Key)
		switch {
		case err == nil:
			return sameEvent(firstCommand(e), cmd) && e.Fingerprint == cmd.Fingerprint()
		case errors.Is(err, broker.ErrNotFound):
			return false
		case sleep(ctx, laneRetry) != nil:
			return true
		}
	}
}

// waitingMark counts a command as waiting until its work has started.
type waitingMark struct {
	lane    *lane
	started bool
}

// start ends the waiting: the lane may pull another.
func (w *waitingMark) start() {
	if !w.started {
		w.started = true
		w.lane.count(0, -1)
	}
}

// leave ends the command's stay in its lane.
func (w *waitingMark) leave(held int) {
	if w.started {
		w.lane.count(-held, 0)
		return
	}
	w.started = true
	w.lane.count(-held, -1)
}
