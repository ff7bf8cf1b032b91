package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// receive takes one message of a lane through decoding and checking and hands it
// to a goroutine of its own. It returns without waiting, and commands take their
// place in the order of its calls, so that of two commands with one token the
// older comes first. placed, if not nil, is told as soon as the command has found
// its place among its like, or is given back without.
func (a *account) receive(ctx context.Context, l *lane, m broker.Message, placed func(found bool)) {
	a.metrics.Received.Inc()
	a.hands.take(m)
	a.work.Add(1)
	cmd, err := read(m, l.id, a.proven)
	d := &delivery{Message: m, cmd: cmd, lane: l, waiting: &waitingMark{lane: l}, placed: placed}
	ctx = a.trace(ctx, d, err)
	var why *events.Refusal
	var place, other *run
	if err == nil {
		why = a.rules.check(cmd, time.Now())
		if why == nil && !cmd.DryRun {
			place, other = a.begin(d)
		}
	}
	a.crew.do(a.hard, func() { a.inHand(d, a.first(ctx, d, err, why, place, other)) })
}

// first is the first stage of a delivery of which is known whether it could be read,
// why it would be refused, and which run it is or waits for.
func (a *account) first(ctx context.Context, d *delivery, err error, why *events.Refusal, place, other *run) stage {
	return func() stage {
		switch {
		case place != nil:
			return a.carry(ctx, d, place, other)
		case err != nil:
			d.settle(a, a.refuseUnread(d, err))
		case why != nil:
			if !a.refused(ctx, d, why) {
				mine, other := a.begin(d)
				return a.carry(ctx, d, mine, other)
			}
		default:
			d.place(true) // it takes no token and no instance
			d.settle(a, a.dryRun(ctx, d))
		}
		return nil
	}
}

// stage is a part of a delivery's way that has a goroutine of its own. It returns the
// next one, or nil at the end.
type stage func() stage

// inHand takes a delivery through its stages. Stages that wait for minutes begin on a
// fresh goroutine: thousands of them must not keep the stacks that a call has needed.
func (a *account) inHand(d *delivery, s stage) {
	if next := s(); next != nil {
		go a.inHand(d, next)
		return
	}
	d.waiting.leave()
	a.work.Done()
}

// refuseUnread answers a message that could not be read as a command of its lane.
func (a *account) refuseUnread(d *delivery, err error) error {
	var refusal *refusalError
	if errors.As(err, &refusal) {
		return a.answers.refuse(d.within(a.hard), refusal.cmd, refusal.why)
	}
	var bad *events.Undecodable
	if errors.As(err, &bad) {
		return a.answers.deadLetter(a.hard, d.Message, bad)
	}
	return err
}

// refusalError carries a refusal out of read.
type refusalError struct {
	cmd events.Command
	why *events.Refusal
}

// Error is the refusal's message.
func (e *refusalError) Error() string { return e.why.Message }

// read decodes a lane's message and compares it with its subject.
func read(m broker.Message, on events.Lane, proven proof) (events.Command, error) {
	env, err := events.Open(m.Header(), m.Data())
	if err != nil {
		return events.Command{}, err
	}
	cmd, why := events.Parse(env, m.Received())
	cmd.Publisher = publisherOf(env, m, proven)
	if why == nil {
		why = cmd.Matches(on)
	}
	if why != nil {
		return cmd, &refusalError{cmd, why}
	}
	return cmd, nil
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
func (w *waitingMark) leave() {
	if w.started {
		w.lane.count(-1, 0)
		return
	}
	w.started = true
	w.lane.count(-1, -1)
}
