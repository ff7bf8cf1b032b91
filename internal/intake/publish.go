package intake

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// publishTogether is how many commands of one request are stored at once.
const publishTogether = 32

// stored is one command as the answer names it.
type stored struct {
	ID          string `json:"id"`
	Source      string `json:"source"`
	ClientToken string `json:"clientToken"`
}

// publish stores the orders and returns when the broker has acknowledged all, or
// when one is not known to be stored: then the client repeats the whole, which
// stores nothing twice.
func (h *Handler) publish(ctx context.Context, c *client, orders []order) ([]stored, *problem) {
	ctx, cancel := h.bound(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(publishTogether)
	out := make([]stored, len(orders))
	for i, o := range orders {
		out[i] = stored{o.command.Event.ID, o.command.Event.Source, o.command.Token}
		group.Go(func() error { return h.store(ctx, c, o) })
	}
	if err := group.Wait(); err != nil {
		h.log.Error("the broker does not take commands from the intake", "publisher", c.Name, "error", err)
		return nil, unavailable("the broker has not acknowledged every command; send the same again, nothing is done twice")
	}
	return out, nil
}

// store publishes one command on its lane.
func (h *Handler) store(ctx context.Context, c *client, o order) error {
	header := broker.Header{"Content-Type": {"application/cloudevents+json"}}
	proof, ok := h.opts.Sign(events.Statement(c.Name, o.command.Event.Source, o.command.Event.ID, o.raw))
	if !ok {
		return errNotReady
	}
	header[events.HeaderProof] = []string{proof}
	return h.opts.Broker.Publish(ctx, broker.Outgoing{Subject: h.opts.Subjects.Lane(o.command.Lane()), ID: o.id, Header: header, Data: o.raw})
}

// accepted answers a request without commands: an array, not null.
func accepted(out []stored) []stored {
	if out == nil {
		return []stored{}
	}
	return out
}
