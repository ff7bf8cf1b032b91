package chaos

import (
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// judge compares the end with what must come of the crash.
func (c *cell) judge() {
	c.Helper()
	r := c.final()
	calls := c.clouds.Mutations(c.instance)
	effects := c.clouds.Effects().Total(c.instance, "")
	ran := len(calls) > 0 && calls[0].Effect
	switch c.point.leave(c.sync()) {
	case gone:
		c.want(r, events.Expired, effects, 0)
		if len(calls) > 0 {
			c.Errorf("%d calls left for a command that expired", len(calls))
		}
	case settled:
		c.want(r, events.Succeeded, effects, 1)
	case open:
		c.judgeOpen(r, ran, effects)
	}
}

// judgeOpen: what the vendor can show decides.
func (c *cell) judgeOpen(r rig.Result, ran bool, effects int) {
	c.Helper()
	if r.Data.Status == events.Indeterminate && c.tooLate(r, ran) {
		return
	}
	switch {
	case ran && (c.proof() == byRecord || c.proof() == byStatus && c.seenAtWork()):
		c.want(r, events.Succeeded, effects, 1)
	case ran:
		c.want(r, events.Indeterminate, effects, 1)
	case c.proof() == byRecord:
		c.want(r, events.Succeeded, effects, 1)
		if r.Data.Attempts != 2 {
			c.Errorf("%d attempts; want 2: the vendor can show that the first did not run", r.Data.Attempts)
		}
	default:
		c.want(r, events.Indeterminate, effects, 0)
	}
}

// tooLate reports whether the last process took over so shortly before the
// contract's limit for an answer that it could not make the looks which a proof
// needs, as happens on a busy machine.
func (c *cell) tooLate(r rig.Result, ran bool) bool {
	if r.Data.Times.Started == nil {
		return false
	}
	needed, from := 1, r.Data.Times.Started.Time
	if !ran {
		// Three looks of two calls each, after the signature has lapsed.
		needed, from = 6, from.Add(shortLife+time.Second)
	}
	looks := 0
	for _, call := range c.clouds.Calls(emulator.Filter{}) {
		if call.Operation == "" && call.Time.After(c.died) && call.Time.After(from) {
			looks++
		}
	}
	if looks < needed {
		c.Logf("the last process came too late to look: %d look-ups, want %d", looks, needed)
	}
	return looks < needed
}

func (c *cell) want(r rig.Result, status string, effects, most int) {
	c.Helper()
	if r.Data.Status != status {
		c.Errorf("%s (%+v), want %s", r.Data.Status, r.Data.Reason, status)
	}
	if effects != most {
		c.Errorf("%d effects, want %d", effects, most)
	}
}

// final is the first final result of the command.
func (c *cell) final() rig.Result { return c.finalOf(c.instance) }

// answered reports whether the command has a final result.
func (c *cell) answered() bool {
	all, _ := c.results.Read(c.Context()) // what cannot be read now is read later
	return slices.ContainsFunc(all, func(r rig.Result) bool { return r.Data.Final && r.Data.Command.ID == c.instance })
}

// finalOf is the first final result of a command event.
func (c *cell) finalOf(id string) rig.Result {
	c.Helper()
	all, err := c.results.Read(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	for _, r := range all {
		if r.Data.Final && r.Data.Command.ID == id {
			return r
		}
	}
	c.Fatalf("no final result of %s", id)
	return rig.Result{}
}

// seenAtWork reports whether the process that took over looked at the instance
// while the work ran. On a slow machine it may come too late; then nobody can
// know.
func (c *cell) seenAtWork() bool {
	effect := c.clouds.Mutations(c.instance)[0].Time
	for _, call := range c.clouds.Calls(emulator.Filter{Instance: c.instance}) {
		if call.Operation == "" && call.Time.After(c.died) && call.Time.Before(effect.Add(c.lasts)) {
			return true
		}
	}
	c.Logf("nobody looked within %s of the effect", time.Since(effect))
	return false
}
