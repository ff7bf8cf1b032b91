// Package pace is the vendor's end of the measurements of pace: an emulated cloud in
// this process, which sees each call when it arrives, and what those times tell.
package pace

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// Cloud is an emulated cloud on a loopback port. Each account of a measurement has
// one of its own, so that nobody else's calls are in its record.
type Cloud struct {
	*emulator.Server
	// URL is the endpoint.
	URL string

	vendor emulator.Vendor
}

// recorded is how many calls a cloud remembers.
const recorded = 2_000_000

// Start runs a cloud that enforces the quotas, in calls per second by action, in any
// sliding second, and lets every other action have as many calls as it likes.
func Start(vendor string, quotas map[string]float64, takes emulator.Transitions) (*Cloud, error) {
	c := &Cloud{vendor: emulator.Vendor(vendor)}
	c.Server = emulator.New(emulator.Options{RecordLimit: recorded, Transitions: takes, Quotas: c.quotas(quotas)})
	var err error
	if c.URL, err = c.Listen("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("pace: start the emulated cloud: %w", err)
	}
	return c, nil
}

// AtOnce are the transitions of work that is over when it was accepted.
var AtOnce = emulator.Transitions{Scale: -1}

// Lasting are the transitions of work that takes its time.
func Lasting(d time.Duration) emulator.Transitions {
	return emulator.Transitions{Restart: d, SoftRestart: d, Flush: d, Restore: d}
}

// Allow replaces the quotas.
func (c *Cloud) Allow(quotas map[string]float64) error { return c.SetQuotas(c.quotas(quotas)) }

func (c *Cloud) quotas(perSecond map[string]float64) emulator.Quotas {
	limits := map[string]float64{string(c.vendor): 0}
	for action, n := range perSecond {
		limits[string(c.vendor)+"/"+action] = n
	}
	return emulator.Quotas{Mode: emulator.QuotaStrict, PerSecond: limits}
}

// Of lists the calls of an action in the order of their arrival.
func (c *Cloud) Of(action string) []emulator.Call {
	calls := c.Calls(emulator.Filter{Action: action})
	slices.SortStableFunc(calls, func(a, b emulator.Call) int { return a.Time.Compare(b.Time) })
	return calls
}

// About is the first call of an action that names the instance.
func (c *Cloud) About(action, instance string) (emulator.Call, bool) {
	calls := c.Calls(emulator.Filter{Action: action, Instance: instance})
	if len(calls) == 0 {
		return emulator.Call{}, false
	}
	return calls[0], true
}

// Most is the most calls of an action in any sliding second, and Throttled how many
// were refused for the quota, both since the start.
func (c *Cloud) Most(action string) int { return c.MaxPerSecond("", "", "", action) }

// Throttled is how many calls of an action were refused for the quota; an empty
// action means all.
func (c *Cloud) Throttled(action string) (n int) {
	for _, p := range c.Paces() {
		if action == "" || p.Action == action {
			n += int(p.Throttled)
		}
	}
	return n
}

// Totals counts the calls by action.
func (c *Cloud) Totals() map[string]int {
	n := map[string]int{}
	for _, p := range c.Paces() {
		n[p.Action] += int(p.Total)
	}
	return n
}

// Busiest is the action with the most calls in a sliding second among those given,
// and how many they were.
func (c *Cloud) Busiest(actions ...string) (action string, most int) {
	for _, a := range slices.Sorted(maps.Keys(c.Totals())) {
		if n := c.Most(a); slices.Contains(actions, a) && n > most {
			action, most = a, n
		}
	}
	return action, most
}
