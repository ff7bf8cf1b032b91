package dispatch

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/ledger"
)

// spent is what an owner that hands an account back tells the next one, so that it need
// not wait: of the calls that still count in the vendor's windows, and of the instances
// that are not free. Times are ages at the moment of handing back: no clock is compared
// with another, and a call is at least that old when the next owner hears of it.
type spent struct {
	// Calls are the ages in milliseconds, oldest first, by region and action; null
	// where they cannot be told. Actions that are not named were not called of late.
	Calls map[string]map[string][]int64 `json:"calls"`
	// Busy are the instances by region on which sent work may not have ended, each with
	// the sequence of the command's message; null if that cannot be told.
	Busy map[string]map[string]uint64 `json:"busy"`

	heard time.Time
}

// mostBusy is how many instances are told of.
const mostBusy = 2000

// busy gives the instances of a region that are not free; nil if they are not known, as
// to a nil spent.
func (s *spent) busy(region string) map[string]uint64 {
	if s == nil || s.Busy == nil {
		return nil
	}
	if s.Busy[region] == nil {
		return map[string]uint64{}
	}
	return s.Busy[region]
}

// calls gives the ages of one action's calls; ok is false if they are not known, as
// to a nil spent.
func (s *spent) calls(region, action string) (ages []time.Duration, ok bool) {
	if s == nil {
		return nil, false
	}
	if told, named := s.Calls[region][action]; named && told == nil {
		return nil, false
	}
	for _, ms := range s.Calls[region][action] {
		ages = append(ages, time.Duration(ms)*time.Millisecond)
	}
	return ages, true
}

// spent tells of the calls of an account that has come to rest; nil if that cannot
// be told.
func (a *account) spent() *spent {
	now := time.Now()
	s := &spent{Calls: map[string]map[string][]int64{}, Busy: a.busy()}
	for _, r := range a.serving() {
		if r.earlier == nil && now.Sub(r.began) < quotaWindow {
			return nil // the calls of the owner before us count as well
		}
		actions := map[string][]int64{}
		r.mu.Lock()
		for action, p := range r.pacers {
			if ages, ok := p.ages(now); !ok {
				actions[action] = nil
			} else if len(ages) > 0 {
				actions[action] = ages
			}
		}
		r.mu.Unlock()
		if len(actions) > 0 {
			s.Calls[r.name] = actions
		}
	}
	return s
}

// sentWork says where work was sent that may not have ended, and by which message.
type sentWork struct {
	region, instance string
	sequence         uint64
}

// leave notes how the work on a token was left. The caller holds the lock.
func (a *account) leave(r *run) {
	if r.entry == nil || r.entry.Fingerprint != r.fingerprint {
		return // the record is another command's
	}
	switch r.entry.State {
	case ledger.Sending, ledger.Accepted:
		a.left[r.cmd.Key] = sentWork{r.region.name, r.cmd.InstanceID, r.delivery.Sequence()}
	case ledger.Final, ledger.Free:
		delete(a.left, r.cmd.Key)
	}
}

// busy are the instances on which an account that has come to rest has left work; nil
// if it does not know them all itself, or they are too many to tell of.
func (a *account) busy() map[string]map[string]uint64 {
	for _, r := range a.serving() {
		if !r.knowsAll.Load() {
			return nil
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.left) > mostBusy {
		return nil
	}
	busy := map[string]map[string]uint64{}
	for _, w := range a.left {
		if busy[w.region] == nil {
			busy[w.region] = map[string]uint64{}
		}
		busy[w.region][w.instance] = w.sequence
	}
	return busy
}

// ages are the ages in milliseconds of the calls that still count. ok is false if
// they are not known.
func (p *pacer) ages(now time.Time) (ages []int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.permits.notUntil.After(now), p.full != p.limiter.Limit():
		return nil, false // not even all of the calls before are known, or the vendor throttles
	case p.permits.window == nil:
		return nil, p.unlimited // without a quota there is nothing to tell; else it is too much
	}
	return p.permits.window.ages(now), true
}

// resume goes on from the calls of the owner before. The caller has not used the
// pacer yet.
func (p *pacer) resume(ages []time.Duration, heard time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, age := range ages {
		p.permits.window.leave(heard.Add(-age))
	}
	if len(ages) > 0 {
		// The limiter's last token went with the latest call.
		p.limiter.ReserveN(heard.Add(-ages[len(ages)-1]), 1)
	}
}
