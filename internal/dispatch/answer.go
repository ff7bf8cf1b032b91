package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// answerer publishes results and dead letters. It keeps trying until the message
// is stored or the context ends: an answer is never dropped.
type answerer struct {
	broker   broker.Publisher
	subjects events.Subjects
	metrics  *Metrics
	log      *slog.Logger
}

// result publishes one result; personal marks an answer that is this event's
// alone (a duplicate, a refusal, a dry run).
func (a *answerer) result(ctx context.Context, c events.Command, r events.Result, personal bool) error {
	msg, err := events.Encode(a.subjects, c, r, personal, time.Now())
	if err != nil {
		return err
	}
	publish := publishing(ctx, a.subjects, r, msg)
	err = a.publish(ctx, broker.Outgoing{Subject: msg.Subject, ID: msg.ID, Header: msg.Header, Data: msg.Data})
	publish.failed(err)
	if err != nil {
		return err
	}
	reason := ""
	if r.Reason != nil {
		reason = r.Reason.Code
	}
	a.metrics.Results.WithLabelValues(r.Status, reason).Inc()
	log := tracedLog(ctx, a.log, c)
	if c.Publisher != "" {
		log = log.With("publisher", c.Publisher)
	}
	log.LogAttrs(ctx, slog.LevelInfo, "result", slog.String("status", r.Status), slog.String("reason", reason), slog.String("id", msg.ID),
		slog.String("vendor", r.Vendor), slog.String("account", r.Account), slog.String("region", r.Region), slog.String("operation", r.Operation),
		slog.String("instance", r.InstanceID), slog.Int("attempts", r.Attempts), slog.Bool("duplicate", r.Duplicate))
	return nil
}

// refuse answers a command that is not carried out.
func (a *answerer) refuse(ctx context.Context, c events.Command, why *events.Refusal) error {
	r := c.NewResult(why.Status)
	r.Reason = &events.Reason{Code: why.Code, Message: why.Message, Hint: why.Hint}
	r.Times.Finished = events.At(time.Now())
	return a.result(ctx, c, r, true)
}

// deadLetter keeps a message that nobody can be answered about.
func (a *answerer) deadLetter(ctx context.Context, m broker.Message, u *events.Undecodable) error {
	header := broker.Header{}
	for k, v := range m.Header() {
		header[k] = v
	}
	header["Sluice-Reason"] = []string{u.Reason}
	header["Sluice-Detail"] = []string{u.Detail}
	header["Sluice-Subject"] = []string{m.Subject()}
	delete(header, "Nats-Msg-Id")
	id := "dl-" + events.TokenKey(m.Subject()+"\n"+m.Received().UTC().Format(time.RFC3339Nano)+"\n"+string(m.Data()))
	err := a.publish(ctx, broker.Outgoing{Subject: a.subjects.DeadLetter(u.Reason), ID: id, Header: header, Data: m.Data()})
	if err != nil {
		return err
	}
	a.metrics.DeadLetters.WithLabelValues(u.Reason).Inc()
	a.log.Warn("dead letter", "reason", u.Reason, "detail", u.Detail, "subject", m.Subject(), "bytes", len(m.Data()))
	return nil
}

// publish repeats until stored; messages carry ids, so that a repeat is harmless.
func (a *answerer) publish(ctx context.Context, m broker.Outgoing) error {
	for try := 0; ; try++ {
		err := a.broker.Publish(ctx, m)
		if err == nil {
			return nil
		}
		if errors.Is(err, broker.ErrNoStream) && try > 3 {
			return err
		}
		if try == 0 || try%50 == 0 {
			a.log.Error("cannot publish; trying on", "subject", m.Subject, "error", err)
		}
		if stopped := sleep(ctx, min(time.Second, 100*time.Millisecond<<min(try, 4))); stopped != nil {
			return err
		}
	}
}
