package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// publishTogether is how many publishes are under way at once.
const publishTogether = 32

// sender publishes orders and says what became of each.
type sender struct {
	s      std
	client *client
	json   bool
	// acks prints a line per stored command.
	acks   bool
	intake bool
	mu     sync.Mutex // guards the streams of s
}

// send publishes the first alone: all go to the same subject, and if nobody takes
// that, the rest need not try. errSilent means that each failure was reported.
func (p *sender) send(ctx context.Context, orders []*order) error {
	err := p.publish(ctx, orders[0])
	if errors.Is(err, broker.ErrNoStream) {
		return p.nobody(orders[0].command)
	}
	var refusal *broker.ForbiddenError
	if errors.As(err, &refusal) {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	failed := p.report(orders[0], err)
	var group errgroup.Group
	group.SetLimit(publishTogether)
	for _, o := range orders[1:] {
		group.Go(func() error { return p.report(o, p.publish(ctx, o)) })
	}
	return cmp.Or(group.Wait(), failed)
}

// publish stores one command.
func (p *sender) publish(ctx context.Context, o *order) error {
	// The id covers the content: the broker would swallow other content under the
	// same id without a word.
	id := "send-" + events.TokenKey(o.command.Event.Source+"\n"+o.command.Event.ID+"\n"+string(o.raw))
	header := broker.Header{"Content-Type": {"application/cloudevents+json"}}
	return p.client.Publish(ctx, broker.Outgoing{Subject: p.subject(o.command), ID: id, Header: header, Data: o.raw})
}

// report says what became of a command; errSilent if it is not known to be stored.
func (p *sender) report(o *order, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		fmt.Fprintf(p.s.err, "Error: %s: not acknowledged: %v; it may be stored all the same, so send it again with its token, which is never carried out twice: --token %s\n",
			o.command.InstanceID, err, shellWord(o.command.Token))
		return errSilent
	}
	o.stored = true
	if !p.acks {
		return nil
	}
	return p.acknowledged(o)
}

// acknowledgement is one stored command as JSON.
type acknowledgement struct {
	InstanceID  string `json:"instanceId"`
	ClientToken string `json:"clientToken"`
	Source      string `json:"source"`
	ID          string `json:"id"`
	Subject     string `json:"subject"`
}

// acknowledged prints that a command is stored.
func (p *sender) acknowledged(o *order) error {
	c := o.command
	if p.json {
		return writeJSON(p.s.out, acknowledgement{c.InstanceID, c.Token, c.Event.Source, c.Event.ID, p.subject(c)})
	}
	_, err := fmt.Fprintf(p.s.out, "%s  %s  token %s\n", fill("stored"), printable(c.InstanceID), shellWord(c.Token))
	return err
}

// subject is where a command goes.
func (p *sender) subject(c events.Command) string {
	if p.intake {
		return p.client.subjects.Intake()
	}
	return p.client.subjects.Lane(laneOf(c))
}

func laneOf(c events.Command) events.Lane {
	return events.Lane{Vendor: c.Vendor, Account: c.Account, Region: c.Region, Operation: c.Operation, Priority: c.Priority}
}

// nobody explains a publish that no stream takes.
func (p *sender) nobody(c events.Command) error {
	if p.intake {
		return fmt.Errorf("nothing was sent: nobody takes %s at %s; start a consumer there, or check --prefix", p.client.subjects.Intake(), p.client.url)
	}
	return fmt.Errorf("nothing was sent: nobody at %s takes commands for account %q of vendor %q; no consumer with that account configured has started there (check --vendor, --account and --prefix)",
		p.client.url, c.Account, c.Vendor)
}
