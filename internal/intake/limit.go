package intake

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// turn waits for the client's turn, before the body is read: what waits costs
// little. The caller must call done, if there is no problem.
func (c *client) turn(ctx context.Context, l Limits) (done func(), p *problem) {
	ctx, cancel := context.WithTimeout(ctx, l.Wait)
	defer cancel()
	permit := c.pace.Reserve()
	if delay := permit.Delay(); delay > l.Wait {
		permit.Cancel()
		return nil, tooMany(fmt.Sprintf("over %g requests per second; put several events into a batch, or wait", l.Rate), delay)
	} else if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			permit.Cancel()
			return nil, tooMany("the request ended while it waited for its turn", delay)
		}
	}
	select {
	case c.places <- struct{}{}:
		return func() { <-c.places }, nil
	case <-ctx.Done():
		return nil, tooMany(fmt.Sprintf("%d requests of this publisher are being worked on", l.Together), time.Second)
	}
}

func tooMany(detail string, after time.Duration) *problem {
	p := newProblem(http.StatusTooManyRequests, "", detail)
	p.retryAfter, p.outcome = max(after, time.Second), outcomeUnavailable
	return p
}
