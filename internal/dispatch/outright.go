package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// place is what a command needs to have for its call; one that gets it at once need
// not wait for anything but look-ups.
type place struct {
	since  time.Time
	turn   *turn
	unlock func()
}

// placeNow takes the instance and a turn if both are free, or returns nil. What was
// delivered before has most likely a record, and a call for many is waited for.
func (r *run) placeNow() *place {
	if r.delivery.Deliveries() > 1 || !r.region.isOpen() || r.gathers() {
		return nil
	}
	unlock, ok := r.region.instances.try(r.cmd.InstanceID, r.prio())
	if !ok {
		return nil
	}
	turn := r.region.pacer(r.action()).try(r.prio())
	if turn == nil {
		unlock()
		return nil
	}
	return &place{time.Now(), turn, unlock}
}

// isOpen reports that nothing keeps new work from the vendor.
func (r *region) isOpen() bool {
	select {
	case <-r.takenOver:
		return !r.breaker.isOpen()
	default:
		return false
	}
}

// outright works on a command that need not wait for its call. Its token is claimed
// by what is recorded first, which is the intent if all goes well: one write instead of
// two. Until then nothing has an effect, and whoever crashes before has done nothing.
// ErrTaken means that the token has a record already, and that nothing was done.
func (r *run) outright(ctx context.Context, p *place) error {
	record, err := r.record()
	if err != nil {
		p.turn.release()
		p.unlock()
		return err
	}
	r.entry, r.now = r.account.ledger.Draft(r.cmd.Key, record), p
	r.takePlace()
	return r.work(ctx)
}

// attemptNow is the attempt of a command that has its place.
func (r *run) attemptNow(ctx context.Context, p *place) (vendors.Verdict, error) {
	defer p.turn.release()
	r.unlock = p.unlock
	r.queues(p.since)
	r.paced(0)
	var shared *prospect
	if r.prio() == prioBulk {
		shared = r.region.outlook.expect(r.cmd.InstanceID)
		defer shared.leave()
	}
	return r.call(ctx, p.turn, shared)
}

// secure claims the token of a command that has to wait after all.
func (r *run) secure() error {
	if !r.entry.Draft() {
		return nil
	}
	return r.save(func(*ledger.Record) {})
}

// record is the record of a token that is new.
func (r *run) record() (ledger.Record, error) {
	command, err := json.Marshal(r.cmd)
	if err != nil {
		return ledger.Record{}, fmt.Errorf("encode command: %w", err)
	}
	return ledger.Record{State: ledger.Claimed, Token: r.cmd.Token, Fingerprint: r.fingerprint, Command: command}, nil
}
