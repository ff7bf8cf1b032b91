package dispatch

import "time"

// spent is what an owner that hands an account back tells of the calls that still
// count in the vendor's windows, so that the next owner need not wait a whole window
// out. Times are ages at the moment of handing back: no clock is compared with
// another, and a call is at least that old when the next owner hears of it.
type spent struct {
	// Calls are the ages in milliseconds, oldest first, by region and action; null
	// where they cannot be told. Actions that are not named were not called of late.
	Calls map[string]map[string][]int64 `json:"calls"`

	heard time.Time
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
	s := &spent{Calls: map[string]map[string][]int64{}}
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
