package vendors

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// Account is what an adapter is made from: one account in one region.
type Account struct {
	// Region is the vendor's own id of the region, as configured.
	Region string
	// Project is the region's project id, for vendors that have projects.
	Project string
	// Endpoint is the base URL (scheme, host, optional port and path prefix)
	// with {region} already replaced.
	Endpoint string
	// Credentials gives the key of the moment; it is asked before each call, so
	// that a rotated key is used at once.
	Credentials func(ctx context.Context) (Credentials, error)
	// Timeout bounds one call, answer included.
	Timeout time.Duration
	// Permit blocks until one look-up of the action may leave (quota, breaker).
	// It is asked before every look-up is signed, never for the mutation, whose
	// permit is part of commit. Nil lets everything pass.
	Permit func(ctx context.Context, action string) error
	// Observe is told of every finished call: its action, the class of its
	// answer and how long it took. Nil tells nobody.
	Observe func(action string, verdict Verdict, took time.Duration)
	// Transport carries the requests; nil makes the adapter use wire's own.
	Transport http.RoundTripper
	// Patience is how long the absence of a record must have lasted before it
	// proves that nothing ran: records may appear late. Zero means the adapter's
	// own choice.
	Patience time.Duration
}

// Credentials is an access key, or a temporary one with its session token.
type Credentials struct {
	AccessKey    string
	SecretKey    secret.Text
	SessionToken secret.Text
}
