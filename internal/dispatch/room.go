package dispatch

import (
	"context"
	"time"
)

// roomRetry is the pause before a full ledger is tried again.
const roomRetry = time.Second

// room waits while the ledger is full. A command stays where it is meanwhile:
// nothing is sent without the ledger, and what has happened must not be forgotten for
// lack of space.
func (e *Engine) room(ctx context.Context, full error) error {
	e.metrics.LedgerFull.Inc()
	if e.full.due(time.Now()) {
		e.log.Error("the ledger is full; nothing is sent until there is room", "error", full)
	}
	if sleep(ctx, roomRetry) != nil {
		return full
	}
	return nil
}
