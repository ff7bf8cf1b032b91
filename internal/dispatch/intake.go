package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// intakeRoom is how many intake messages a replica works on at once.
const intakeRoom = 64

// intake validates the commands of publishers that cannot compute a subject and
// forwards them to their lanes. Any replica may do that for any account, since
// nothing is carried out here.
type intake struct {
	broker   Broker
	subjects events.Subjects
	answers  *answerer
	rules    rules
	metrics  *Metrics
	log      *slog.Logger
}

// run serves the intake until soft ends; hard bounds what is being answered.
func (in *intake) run(soft, hard context.Context) {
	queue := in.open(soft)
	if queue == nil {
		return
	}
	defer queue.Release()
	for soft.Err() == nil {
		got, err := queue.Fetch(soft, intakeRoom, pullWait)
		if err != nil && soft.Err() == nil {
			in.log.Debug("intake pull failed; trying on", "error", err)
			_ = sleep(soft, laneRetry)
		}
		for _, m := range got {
			in.receive(hard, m)
		}
	}
}

// open tries until the intake's consumer is there.
func (in *intake) open(ctx context.Context) Lane {
	for try := 0; ; try++ {
		queue, err := in.broker.Intake(ctx)
		if err == nil {
			return queue
		}
		if try%30 == 0 {
			in.log.Warn("cannot open the intake; trying on", "error", err)
		}
		if sleep(ctx, laneRetry) != nil {
			return nil
		}
	}
}

// receive answers or forwards every command of one message, then acknowledges
// it. A crash before the acknowledgement repeats that, under the same ids.
func (in *intake) receive(ctx context.Context, m broker.Message) {
	in.metrics.Received.Inc()
	err := in.each(ctx, m)
	if err != nil {
		in.log.Debug("intake message given back", "error", err)
		_ = m.Nak(time.Second)
		return
	}
	if err := m.Ack(ctx); err != nil {
		in.log.Warn("acknowledgement failed; the message comes again", "error", err)
	}
}

// each handles the members of a batch by themselves, or the one event.
func (in *intake) each(ctx context.Context, m broker.Message) error {
	items, batch := events.OpenBatch(m.Header(), m.Data())
	if !batch {
		env, err := events.Open(m.Header(), m.Data())
		var bad *events.Undecodable
		if errors.As(err, &bad) {
			return in.answers.deadLetter(ctx, m, bad)
		}
		return in.one(ctx, m, env, m.Header(), m.Data())
	}
	for _, item := range items {
		if item.Err != nil {
			if err := in.answers.deadLetter(ctx, member{m, item.Raw}, item.Err); err != nil {
				return err
			}
			continue
		}
		header := broker.Header{"Content-Type": {"application/cloudevents+json"}}
		if err := in.one(ctx, m, item.Envelope, header, item.Raw); err != nil {
			return err
		}
	}
	return nil
}

// member is one event of a batch as a message of its own, for its dead letter.
type member struct {
	broker.Message
	raw []byte
}

// Data is the member's own bytes.
func (m member) Data() []byte { return m.raw }

// Header names the member's own format.
func (m member) Header() broker.Header {
	return broker.Header{"Content-Type": {"application/cloudevents+json"}}
}

// one checks a command and stores it in its lane.
func (in *intake) one(ctx context.Context, m broker.Message, env events.Envelope, header broker.Header, raw []byte) error {
	cmd, why := events.Parse(env, m.Received())
	if why == nil {
		why = in.rules.check(cmd, time.Now())
	}
	// One whose time has passed is for the lane to refuse: it may have been
	// forwarded before, and be at work, which only the account's owner knows.
	if why != nil && why.Code != events.ReasonExpired {
		return in.answers.refuse(ctx, cmd, why)
	}
	lane := events.Lane{Vendor: cmd.Vendor, Account: cmd.Account, Region: cmd.Region, Operation: cmd.Operation, Priority: cmd.Priority}
	forward := broker.Header{}
	for k, v := range header {
		if !isNatsHeader(k) {
			forward[k] = v
		}
	}
	// The id covers the content: the broker's duplicate window would swallow
	// other content under the same id without a word.
	id := "in-" + events.TokenKey(cmd.Event.Source+"\n"+cmd.Event.ID+"\n"+string(raw))
	return in.answers.publish(ctx, broker.Outgoing{Subject: in.subjects.Lane(lane), ID: id, Header: forward, Data: raw})
}

// isNatsHeader reports headers that belong to the transport.
func isNatsHeader(name string) bool {
	return len(name) > 5 && (name[:5] == "Nats-" || name[:5] == "nats-")
}
