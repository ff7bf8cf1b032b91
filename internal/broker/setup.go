package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Setup creates the streams and buckets, brings existing ones up to date where
// that loses nothing, and reports what else is not as it should be. An error means
// that the server could not be asked; then Setup may simply be called again.
func (c *Conn) Setup(ctx context.Context) ([]Finding, error) {
	ctx, release := c.guard(ctx, "")
	defer release()
	account, found, err := c.checkServer(ctx)
	if err != nil || refuses(found) {
		return found, err
	}
	for _, want := range c.streamConfigs(maxConsumers(account)) {
		more, err := c.setUpStream(ctx, want)
		found = append(found, more...)
		if err != nil || ctx.Err() != nil { // a refusal that ends the context is among what was found
			return found, err
		}
	}
	return found, nil
}

func refuses(found []Finding) bool {
	return slices.ContainsFunc(found, func(f Finding) bool { return f.Severity == Refuse })
}

// setUpStream creates one stream or compares the one there is.
func (c *Conn) setUpStream(ctx context.Context, want jetstream.StreamConfig) ([]Finding, error) {
	stream, err := c.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		found, err := c.createStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another replica was quicker
			return c.setUpStream(ctx, want)
		}
		return refused(ctx, found, err, "create", want.Name)
	}
	if err != nil {
		return refused(ctx, nil, err, "look at", want.Name)
	}
	have := stream.CachedInfo().Config
	c.allowBatches(have)
	update, change, found := compare(want, have)
	if refuses(found) || !change {
		return found, nil
	}
	stranded, err := c.stranded(ctx, have, update)
	if err != nil {
		return found, err
	}
	more, err := c.updateStream(ctx, have, update)
	return refused(ctx, slices.Concat(found, stranded, more), err, "update", want.Name)
}

// createStream falls back to one copy on a server that is no cluster.
func (c *Conn) createStream(ctx context.Context, want jetstream.StreamConfig) ([]Finding, error) {
	err := c.makeStream(ctx, want)
	if !isUnclustered(err) {
		return nil, err
	}
	replicas := want.Replicas
	want.Replicas = 1
	err = c.makeStream(ctx, want)
	return []Finding{tooFew(want.Name, 1, replicas, "the server is no cluster")}, err
}

func (c *Conn) makeStream(ctx context.Context, want jetstream.StreamConfig) error {
	made, err := c.js.CreateStream(ctx, want)
	if err == nil {
		c.allowBatches(made.CachedInfo().Config)
	}
	return err
}

// changeStream asks for the update as it stands.
func (c *Conn) changeStream(ctx context.Context, update jetstream.StreamConfig) error {
	made, err := c.js.UpdateStream(ctx, update)
	if err == nil {
		c.allowBatches(made.CachedInfo().Config)
	}
	return err
}

// updateStream does the rest of an update also where the server does not allow
// more copies or, as older ones, another limit of consumers.
func (c *Conn) updateStream(ctx context.Context, have, update jetstream.StreamConfig) ([]Finding, error) {
	err := c.changeStream(ctx, update)
	more := update.Replicas > have.Replicas
	if err == nil || (!more && update.MaxConsumers == have.MaxConsumers) {
		return nil, err
	}
	var found []Finding
	if more {
		found = append(found, tooFew(update.Name, have.Replicas, update.Replicas, err.Error()))
	}
	update.Replicas, update.MaxConsumers = have.Replicas, have.MaxConsumers
	return found, c.changeStream(ctx, update)
}

func isUnclustered(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == codeReplicasUnclustered
}

func tooFew(stream string, have, want int, why string) Finding {
	return Finding{Warn, fmt.Sprintf("stream %s has %d replica(s), not the configured %d (%s)", stream, have, want, why),
		"connect to a cluster with enough servers and start again, or lower nats.replicas"}
}

// stranded finds commands of accounts whose subject the update takes away: they
// stay stored and nobody serves them.
func (c *Conn) stranded(ctx context.Context, have, update jetstream.StreamConfig) (found []Finding, err error) {
	if update.Retention != jetstream.WorkQueuePolicy {
		return nil, nil
	}
	for _, subject := range have.Subjects {
		if slices.Contains(update.Subjects, subject) {
			continue
		}
		waiting, err := c.waiting(ctx, subject)
		if err != nil {
			return nil, err
		}
		var count uint64
		for _, n := range waiting {
			count += n
		}
		if count > 0 {
			found = append(found, Finding{Warn, fmt.Sprintf("%d command(s) wait under %s, which no configured account serves", count, subject),
				"configure the account again until they are done, or purge that subject of " + have.Name})
		}
	}
	return found, nil
}

// refused turns a refusal by the server into a finding; what is left is an error
// of the connection. Reading the cause tells a forbidden request from a slow one.
func refused(ctx context.Context, found []Finding, err error, what, stream string) ([]Finding, error) {
	var api *jetstream.APIError
	var refusal *ForbiddenError
	switch {
	case err == nil:
		return found, nil
	case errors.As(context.Cause(ctx), &refusal):
		return append(found, forbidden(refusal)), nil
	case errors.As(err, &api) && !passes(api.ErrorCode):
		return append(found, Finding{Refuse, fmt.Sprintf("cannot %s stream %s: %s", what, stream, api.Description), wayOut(api.ErrorCode)}), nil
	}
	return found, fmt.Errorf("%s stream %s: %w", what, stream, err)
}

// passes recognises what a cluster answers while it elects leaders or waits for
// its servers: no refusal, and worth asking again.
func passes(code jetstream.ErrorCode) bool {
	switch code {
	case codeClusterIncomplete, codeClusterNoPeers, codeClusterUnavailable, codeClusterNotLeader, codeStreamOffline, codeConsumerOffline:
		return true
	}
	return false
}

func wayOut(code jetstream.ErrorCode) string {
	switch code {
	case codeAccountResources, codeInsufficient, codeMaximumStreams, codeMemoryResources, codeStorageResources:
		return "raise the JetStream limits of the NATS account or free space on the server"
	}
	return "correct that on the NATS server, or choose another prefix"
}

func forbidden(e *ForbiddenError) Finding {
	what := "publish on"
	if e.Listen {
		what = "subscribe to"
	}
	return Finding{Refuse, fmt.Sprintf("permission missing: the NATS user may not %s %s", what, e.Subject), "allow the NATS user that subject"}
}

// Present reports whether all streams and buckets exist and can be asked.
func (c *Conn) Present(ctx context.Context) error {
	if !c.Connected() {
		return errors.New("not connected to NATS")
	}
	for _, name := range c.names.streams() {
		if _, err := c.stream(ctx, name); err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
	}
	return nil
}

// stream looks at a stream, and says so at once where that is forbidden.
func (c *Conn) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	return guarded(ctx, c, name, func(ctx context.Context) (jetstream.Stream, error) { return c.js.Stream(ctx, name) })
}
