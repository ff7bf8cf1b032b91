package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// Account is one whose commands the streams take.
type Account struct{ Vendor, Name string }

// Broker is a connection for publishing and looking.
type Broker struct {
	// NC and JS are the connection's.
	NC *nats.Conn
	JS jetstream.JetStream

	url string
}

// Connect connects to a NATS server.
func Connect(url string) (*Broker, error) {
	nc, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return nil, fmt.Errorf("load: connect to %s: %w", url, err)
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(inFlight))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("load: %w", err)
	}
	return &Broker{nc, js, url}, nil
}

// Close ends the connection.
func (b *Broker) Close() { b.NC.Close() }

// Prepare makes the streams and buckets under a prefix as a consumer would, so that
// commands can be laid before one runs.
func (b *Broker) Prepare(ctx context.Context, prefix string, accounts ...Account) error {
	o := broker.Options{URL: b.url, Prefix: prefix, Name: "bench"}
	for _, a := range accounts {
		o.Accounts = append(o.Accounts, broker.AccountSubject{Vendor: a.Vendor, Account: a.Name})
	}
	conn, err := broker.Connect(ctx, o)
	if err != nil {
		return fmt.Errorf("load: prepare %s: %w", prefix, err)
	}
	defer conn.Close()
	found, err := conn.Setup(ctx)
	for _, f := range found {
		if f.Severity == broker.Refuse {
			err = errors.Join(err, errors.New(f.String()))
		}
	}
	if err != nil {
		return fmt.Errorf("load: prepare %s: %w", prefix, err)
	}
	return nil
}

// inFlight is how many publishes may wait for their answer.
const inFlight = 4096

// Publish publishes n messages and returns when all are stored.
func (b *Broker) Publish(ctx context.Context, n int, message func(i int) *nats.Msg) error {
	var failed error
	futures := make([]jetstream.PubAckFuture, 0, inFlight)
	settle := func() {
		for _, f := range futures {
			select {
			case <-f.Ok():
			case err := <-f.Err():
				failed = errors.Join(failed, err)
			case <-ctx.Done():
				failed = context.Cause(ctx)
			}
			if failed != nil {
				return
			}
		}
		futures = futures[:0]
	}
	for i := 0; i < n && failed == nil; i++ {
		f, err := b.JS.PublishMsgAsync(message(i))
		if err != nil {
			failed = err
			break
		}
		if futures = append(futures, f); len(futures) == cap(futures) {
			settle()
		}
	}
	settle()
	if failed != nil {
		return fmt.Errorf("load: publish: %w", failed)
	}
	return nil
}

// Lay publishes n commands to a lane.
func (b *Broker) Lay(ctx context.Context, l Lane, n int, command func(i int) Command) error {
	if err := Check(l.Event(command(0), time.Now())); err != nil {
		return err
	}
	subject := l.Subject()
	return b.Publish(ctx, n, func(i int) *nats.Msg {
		return &nats.Msg{Subject: subject, Data: l.Event(command(i), time.Now()), Header: header}
	})
}

// Send publishes one command and returns when it is stored.
func (b *Broker) Send(ctx context.Context, l Lane, c Command) error {
	_, err := b.JS.PublishMsg(ctx, &nats.Msg{Subject: l.Subject(), Data: l.Event(c, time.Now()), Header: header})
	if err != nil {
		return fmt.Errorf("load: publish: %w", err)
	}
	return nil
}

// header is that of every command; nobody changes it.
var header = nats.Header{"Content-Type": {"application/cloudevents+json"}}

// State is that of a stream.
func (b *Broker) State(ctx context.Context, stream string) (jetstream.StreamState, error) {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		return jetstream.StreamState{}, fmt.Errorf("load: state of %s: %w", stream, err)
	}
	return s.CachedInfo().State, nil
}

// Commands is the stream of commands under a prefix; Results that of results.
func Commands(prefix string) string { return strings.ToUpper(prefix) + "_COMMANDS" }

// Results is the stream of results under a prefix.
func Results(prefix string) string { return strings.ToUpper(prefix) + "_RESULTS" }
