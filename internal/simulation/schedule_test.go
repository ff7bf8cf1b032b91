package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// commandsPerRun is how many commands a schedule publishes.
const commandsPerRun = 200

// points are the places in a command's life that a schedule may favour for deaths
// and freezes: around every write, and around the bytes of a call.
var points = []string{
	"ledger.create.before", "ledger.create.after", "ledger.update.before", "ledger.update.after", "ledger.delete.before", "ledger.delete.after",
	"call.before", "call.before", "call.sent", "call.answered", "publish.before", "publish.after", "ack.before", "ack.after",
	"lane.reset.before", "lane.reset.after", "lane.make.before", "lane.make.after", "leases.update.before", "leases.update.after", "leases.create.after",
}

// storm is a schedule with every kind of fault.
func storm(seed uint64) *plan {
	d := newChance(seed).fixed("plan", "")
	p := &plan{
		seed: seed, name: "storm", heal: d.between(0, 60*time.Second, 120*time.Second),
		full:  map[string][]span{},
		lossy: d.part(1) * 0.02, lost: d.part(2) * 0.12, transient: d.part(3) * 0.06, refuses: 0.02, unseen: 0.1,
		points: d.part(4) * 0.004, mostPoints: d.below(5, 5), pointsFrom: d.between(6, 2*time.Second, 20*time.Second),
		paused: d.part(7) * 0.6, cut: d.part(8) * 0.5, slowest: d.between(9, 2*time.Millisecond, 400*time.Millisecond),
	}
	p.favourite = points[d.below(30, len(points))]
	c := newChance(seed)
	for i := range 2 + d.below(10, 2) {
		p.accounts = append(p.accounts, stormyAccount(c, i, p.heal))
	}
	p.lives = lives(c, 1+d.below(11, 4), p.heal)
	if d.hits(12, 0.3) {
		p.outages = spans(c, "outage", 1+d.below(13, 2), p.heal, 500*time.Millisecond, 25*time.Second)
	}
	for i, name := range []string{"ledger", "results", "deadletters", "leases"} {
		if d.hits(20+i, 0.12) {
			p.full[name] = spans(c, "full"+name, 1, p.heal, time.Second, 20*time.Second)
		}
	}
	p.publish(c, commandsPerRun, p.heal*2/3)
	return p
}

// stormyAccount is an account with troubles of its own.
func stormyAccount(c *chance, i int, heal time.Duration) accountPlan {
	name := fmt.Sprintf("acc%d", i)
	d := c.fixed("account", name)
	a := calmAccount(name, evidence(d.below(0, 3)))
	a.regions = []string{"r1", "r2"}[:1+d.below(1, 2)]
	a.life = []time.Duration{30 * time.Second, 60 * time.Second, 150 * time.Second}[d.below(2, 3)]
	a.quota = float64(4 + d.below(3, 17))
	a.looks = a.quota + float64(d.below(8, 2*int(a.quota)))
	a.maxInFlight = 4 + d.below(4, 60)
	a.attempts = 2 + d.below(5, 6)
	if d.hits(20, 0.5) {
		a.batching(d)
	}
	a.hangs = d.part(6)
	if d.hits(7, 0.1) {
		a.trackTimeout = 8 * time.Second
	}
	for k, kind := range []string{"unauthorized", "throttled", "failing", "hanging"} {
		if d.hits(10+k, 0.25) {
			a.spells[kind] = spans(c, kind+name, 1, heal, 2*time.Second, 25*time.Second)
		}
	}
	return a
}

// batching lets an account's calls take several instances each. They are few
// enough that work waits for them.
func (a *accountPlan) batching(d luck) {
	a.together = []int{2, 5, 8}[d.below(21, 3)]
	a.surveys = []int{0, 4, 20}[d.below(22, 3)]
	a.polls = []int{0, 3}[d.below(23, 2)]
	a.quota = float64(1 + d.below(24, 4))
	a.looks = 4 + float64(d.below(25, 12))
	a.maxInFlight = max(a.maxInFlight, 2*a.together)
}

// calmAccount is an account without trouble.
func calmAccount(name string, kind evidence) accountPlan {
	a := accountPlan{
		name: name, kind: kind, regions: []string{"r1"}, life: 60 * time.Second, quota: 10, looks: 60, maxInFlight: 100, attempts: 6,
		spells: map[string][]span{}, shortest: 2 * time.Second, longest: 12 * time.Second, jitter: 5 * time.Millisecond,
		trackTimeout: 10 * time.Minute,
	}
	switch kind {
	case tasklist:
		a.vendor, a.slowest = "listcloud", 1500*time.Millisecond
		a.offered = []vendors.Operation{vendors.Flush, vendors.Restore}
		a.operations = a.offered
	case statusonly:
		a.vendor = "statuscloud"
		a.offered = []vendors.Operation{vendors.Restart, vendors.Flush, vendors.Restore}
		a.operations = a.offered[:2]
	case marked:
		a.vendor, a.slowest = "markcloud", 20*time.Second
		a.offered = []vendors.Operation{vendors.Restart, vendors.SoftRestart, vendors.Restore}
		a.operations = []vendors.Operation{vendors.Restart, vendors.Restore}
	}
	return a
}

// spans spreads n spells over the time of faults.
func spans(c *chance, what string, n int, heal, least, most time.Duration) []span {
	var out []span
	for i := range n {
		d := c.fixed("span"+what, itoa(i))
		from := d.between(0, 0, heal*3/4)
		out = append(out, span{from, min(from+d.between(1, least, most), heal)})
	}
	return out
}

// lives plans the replicas: how they come and go.
func lives(c *chance, slots int, heal time.Duration) []lifeEvent {
	var out []lifeEvent
	for slot := range slots {
		d := c.fixed("slot", itoa(slot))
		at := d.between(0, 0, 6*time.Second)
		out = append(out, lifeEvent{at, slot, "start"})
		for i := range d.below(1, 4) {
			at += d.between(10+3*i, 3*time.Second, heal/2)
			if at >= heal {
				break
			}
			what := "stop"
			if d.hits(11+3*i, 0.6) {
				what = "kill"
			}
			out = append(out, lifeEvent{at, slot, what})
			at += d.between(12+3*i, 0, 15*time.Second)
			out = append(out, lifeEvent{min(at, heal), slot, "start"})
		}
	}
	slices.SortStableFunc(out, func(a, b lifeEvent) int { return int(a.at - b.at) })
	return out
}
