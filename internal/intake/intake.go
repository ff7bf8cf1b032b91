// Package intake takes commands over HTTP from publishers that cannot speak NATS:
// CloudEvents in the three content modes of their HTTP binding, and Alertmanager's
// webhook, whose alerts become commands by templates.
//
// It knows who may ask for what, checks a command by the rules that the engine will
// apply, and stores it in the lane of its account. Nothing is carried out here, so
// that any replica may serve any publisher.
//
// Where to read: handler.go (what every request passes), identity.go (who asks),
// commands.go and admit.go (events), alertmanager.go and alert.go (alerts),
// publish.go (storing), proof.go (how the engine knows a command came from here),
// listen.go and tls.go (the listener).
package intake

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/secret"
)

// Publisher stores messages; see broker.Publisher.
type Publisher interface {
	Publish(ctx context.Context, m broker.Outgoing) error
}

// Client is somebody who may publish over HTTP, and what for.
type Client struct {
	Name string
	// Token or CommonName, that of a client certificate, is how it is known.
	Token      secret.Text
	CommonName string
	// Operations and Accounts are what it may ask for; nil accounts are all.
	Operations []string
	Accounts   []string
}

// Alert is what templates see of one alert.
type Alert struct {
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	Fingerprint string
}

// Template makes one field of a command from an alert; nil makes nothing.
type Template func(Alert) (string, error)

// Route turns the alerts of one webhook into commands.
type Route struct {
	Name string
	// Client is the name of the one client that may use the route.
	Client string
	// Match holds the labels that an alert must have.
	Match map[string]string

	Operation, Vendor, Account, Region, InstanceID, Priority, ClientToken Template
}

// Options is everything a Handler is made from.
type Options struct {
	Clients  []Client
	Routes   []Route
	Subjects events.Subjects
	Broker   Publisher
	// Check tells why the engine would refuse a command at once, or nil.
	Check func(events.Command, time.Time) *events.Refusal
	// Sign proves that a statement is the intake's. It reports false while it cannot.
	Sign func(statement []byte) (proof string, ok bool)
	// AlertAge is how long an alert may have been firing to become a command: after
	// it the ledger may have forgotten that it was one.
	AlertAge time.Duration
	Limits   Limits
	// Metrics may be shared by no other handler. Nil counts into nowhere.
	Metrics *Metrics
	Logger  *slog.Logger
}

// Limits bound what one client may do; zero fields take the defaults.
type Limits struct {
	// Rate is requests per second, Burst how many may come at once.
	Rate  float64
	Burst int
	// Together is how many requests are worked on at once, Wait how long one more
	// waits for its turn.
	Together int
	Wait     time.Duration
	// Publish bounds the storing of one request's commands.
	Publish time.Duration
}

// The defaults of Limits.
const (
	DefaultRate     = 100
	DefaultBurst    = 200
	DefaultTogether = 32
	DefaultWait     = 3 * time.Second
	defaultPublish  = 5 * time.Second
)

// MaxBody is the limit on a request's body in bytes.
const MaxBody = 1 << 20

func (l Limits) withDefaults() Limits {
	if l.Rate == 0 {
		l.Rate = DefaultRate
	}
	if l.Burst == 0 {
		l.Burst = DefaultBurst
	}
	if l.Together == 0 {
		l.Together = DefaultTogether
	}
	if l.Wait == 0 {
		l.Wait = DefaultWait
	}
	if l.Publish == 0 {
		l.Publish = defaultPublish
	}
	return l
}
