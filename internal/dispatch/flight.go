package dispatch

import (
	"context"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// followed gives ctx to the one call of the turn: the window learns when that has left,
// which on a busy machine is later than its permit.
func (t *turn) followed(ctx context.Context) context.Context {
	if t.p.permits.window == nil {
		return ctx
	}
	return vendors.WithFlight(ctx, t)
}

// Leaving is vendors.Flight's.
func (t *turn) Leaving() {
	t.p.follow(t.call, func(d *departure) { d.leaving = true })
}

// Left is vendors.Flight's.
func (t *turn) Left(at time.Time) {
	t.p.follow(t.call, func(d *departure) {
		if d.leaving = false; at.After(d.at) {
			d.at = at
		}
	})
}

// Over is vendors.Flight's.
func (t *turn) Over(answered time.Time) {
	t.p.follow(t.call, func(d *departure) {
		if d.leaving = false; !answered.IsZero() {
			t.p.permits.window.took(d, answered.Sub(d.at))
		}
	})
}

// follow changes what is known of a call on its way, and lets those go on that have
// waited for it.
func (p *pacer) follow(call uint64, change func(*departure)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.permits.window.follow(call, change)
	p.issue(time.Now())
}

var _ vendors.Flight = (*turn)(nil)
