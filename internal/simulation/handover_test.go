package simulation

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// TestHandOver checks P3, P4 and P5 where they are tightest: under a backlog,
// while the account goes from replica to replica.
func TestHandOver(t *testing.T) {
	overSeeds(t, 12, func(t *testing.T, seed uint64) {
		report(t, judge(simulate(t, relay(seed))), seed)
	})
}

// relay is a backlog that two replicas pass to and fro, by stopping and by dying.
func relay(seed uint64) *plan {
	p := calm(seed, "relay")
	d := newChance(seed).fixed("relay", "")
	a := calmAccount("acc0", statusonly)
	a.quota = float64(3 + d.below(0, 10))
	n := int(a.quota) * 30
	if d.hits(1, 0.5) {
		a.together, a.surveys, a.quota = 5, 20, float64(1+d.below(2, 3))
		n = int(a.quota) * 120
	}
	a.looks = 4 * a.quota
	p.accounts = []accountPlan{a}
	p.heal = time.Minute
	for i := range n {
		op := []vendors.Operation{vendors.Restart, vendors.Flush}[i%2]
		p.ask(0, "acc0", "r1", []string{"normal", "bulk", "bulk"}[i%3], op)
	}
	p.lives = []lifeEvent{{0, 0, "start"}, {time.Second, 1, "start"}}
	at, slot := 5*time.Second, 0
	throttles := d.hits(3, 0.3)
	for i := 0; at < p.heal-10*time.Second; i++ {
		what := "stop"
		if d.hits(10+2*i, 0.3) {
			what = "kill"
		}
		if throttles { // an owner that is throttled cannot tell of its calls
			a.spells["throttled"] = append(a.spells["throttled"], span{at - 400*time.Millisecond, at - 150*time.Millisecond})
		}
		p.lives = append(p.lives, lifeEvent{at, slot, what}, lifeEvent{at + 2*time.Second, slot, "start"})
		at += d.between(11+2*i, 4*time.Second, 9*time.Second)
		slot = 1 - slot
	}
	return p.sorted()
}

// TestLeasesRefused checks P3 and P4 while the broker takes ledger records but, for
// longer than a lease lives, no leases: who cannot renew must stop in time, though
// everything else works.
func TestLeasesRefused(t *testing.T) {
	overSeeds(t, 12, func(t *testing.T, seed uint64) {
		report(t, judge(simulate(t, leaseless(seed))), seed)
	})
}

// leaseless is a backlog of two replicas under spells without leases.
func leaseless(seed uint64) *plan {
	p := relay(seed)
	p.name = "leaseless"
	p.lives = []lifeEvent{{0, 0, "start"}, {time.Second, 1, "start"}}
	c := newChance(seed)
	for at := 6 * time.Second; at < p.heal-12*time.Second; {
		d := c.draw("leaseless", "")
		till := at + d.between(0, 7*time.Second, 10*time.Second)
		p.full["leases"] = append(p.full["leases"], span{at, till})
		at = till + d.between(1, 3*time.Second, 8*time.Second)
	}
	return p
}

// TestFrozen checks the fences between intent and call: replicas freeze there, for
// shorter and for longer than their lease and the signature live.
func TestFrozen(t *testing.T) {
	overSeeds(t, 12, func(t *testing.T, seed uint64) {
		report(t, judge(simulate(t, frozen(seed))), seed)
	})
}

// frozen is a backlog under which three replicas freeze at one of the points from
// the intent to the first byte.
func frozen(seed uint64) *plan {
	p := relay(seed)
	d := newChance(seed).fixed("frozen", "")
	p.name, p.heal, p.onlyFreezes = "frozen", 3*time.Minute, true
	p.favourite = []string{"ledger.update.before", "ledger.update.after", "ledger.update.after", "call.before"}[d.below(0, 4)]
	p.points, p.mostPoints, p.pointsFrom = 0.002, 40, 3*time.Second
	p.lives = []lifeEvent{{0, 0, "start"}, {time.Second, 1, "start"}, {2 * time.Second, 2, "start"}}
	p.accounts = append(p.accounts, calmAccount("acc1", tasklist), calmAccount("acc2", marked))
	for i := range p.accounts {
		p.accounts[i].life = []time.Duration{30 * time.Second, 60 * time.Second}[d.below(1+i, 2)]
	}
	for i := range 120 {
		a := &p.accounts[1+i%2]
		p.ask(d.between(10+i, 0, p.heal*2/3), a.name, "r1", "normal", a.operations[i/2%len(a.operations)])
	}
	return p.sorted()
}
