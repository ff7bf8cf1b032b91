package wire

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Do sends the request once, within ctx and timeout, and reads the whole
// answer. Any HTTP status is an Answer, not an error. An error is a
// *NotSentError if nothing left, and otherwise says nothing about what the peer
// did. URLs are cut from errors, since a query may carry what must not be
// printed.
//
// Whoever watches the context is told of it (vendors.Watch).
func Do(ctx context.Context, rt http.RoundTripper, req *http.Request, timeout time.Duration) (Answer, error) {
	watcher := vendors.Watched(ctx)
	if watcher == nil {
		return do(ctx, rt, req, timeout)
	}
	began := time.Now()
	a, err := do(ctx, rt, req, timeout)
	watcher(vendors.Exchange{Method: req.Method, Host: req.URL.Host, Began: began, Ended: time.Now(), Status: a.Status, Err: err})
	return a, err
}
