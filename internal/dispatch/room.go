package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// roomRetry is the pause before a full ledger is tried again.
const roomRetry = time.Second

// withRoom repeats a write of the ledger for as long as the bucket is full. A
// command waits where it is meanwhile: nothing is sent without the ledger, and
// what has happened must not be forgotten for lack of space.
func (a *account) withRoom(ctx context.Context, write func() error) error {
	for {
		err := write()
		if !errors.Is(err, broker.ErrFull) {
			return err
		}
		a.metrics.LedgerFull.Inc()
		if a.full.due(time.Now()) {
			a.log.Error("the ledger is full; nothing is sent until there is room", "error", err)
		}
		if sleep(ctx, roomRetry) != nil {
			return err
		}
	}
}
