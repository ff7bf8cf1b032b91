package simulation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// calm is a schedule without faults: one replica, no losses.
func calm(seed uint64, name string) *plan {
	return &plan{
		seed: seed, name: name, full: map[string][]span{}, slowest: 2 * time.Millisecond,
		lives: []lifeEvent{{0, 0, "start"}}, heal: time.Second,
	}
}

// ask plans one plain command on an instance of its own.
func (p *plan) ask(at time.Duration, account, region, priority string, op vendors.Operation) {
	n := len(p.publications)
	q := &asked{
		id: fmt.Sprintf("e%d", n), token: fmt.Sprintf("tok-%d", n), account: account, region: region,
		instance: fmt.Sprintf("i-%d", n), op: op, priority: priority,
	}
	if op == vendors.Restore {
		q.backup = "b1"
	}
	pub := publication{at: at, asks: []*asked{q}, header: broker.Header{}}
	p.wrap(luck(1), &pub) // this luck takes the lane
	p.publications = append(p.publications, pub)
}

// sorted puts the publications into the order of their times.
func (p *plan) sorted() *plan {
	slices.SortStableFunc(p.publications, func(a, b publication) int { return int(a.at - b.at) })
	return p
}

// seedsOf are the seeds of a calm test: one if it was asked for.
func seedsOf(n int) (out []uint64) {
	if *oneSeed != 0 {
		return []uint64{*oneSeed}
	}
	if *mutant != "" {
		n *= 10
	}
	for i := range n {
		out = append(out, *fromSeed+uint64(i))
	}
	return out
}

// overSeeds runs a calm test over some seeds, for a mutant until it is caught.
func overSeeds(t *testing.T, n int, test func(t *testing.T, seed uint64)) {
	t.Parallel()
	for _, seed := range seedsOf(n) {
		if enough(t) {
			return
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { test(t, seed) })
	}
}

// enough reports that a mutant is caught.
func enough(t *testing.T) bool { return *mutant != "" && t.Failed() }

// TestPace checks under a backlog without faults that the quota is used up (P4)
// and that priorities are kept (P6).
func TestPace(t *testing.T) {
	overSeeds(t, 6, func(t *testing.T, seed uint64) {
		w := simulate(t, backlog(seed))
		v := judge(w)
		v.usedUp()
		v.urgentFirst()
		v.lowestGetsAShare()
		report(t, v, seed)
	})
}

// report fails the test for a breach, and prints some of them.
func report(t *testing.T, v *verdict, seed uint64) {
	t.Helper()
	shown := 0
	parent, _, _ := strings.Cut(t.Name(), "/")
	for _, b := range v.broken {
		if shown++; shown <= 3 {
			t.Errorf("%s\nrepeat it with: go test ./internal/simulation -run %s -sim.seed=%d", b, parent, seed)
		}
	}
}

// backlog is a calm schedule in which one quota is the bottleneck.
func backlog(seed uint64) *plan {
	p := calm(seed, "backlog")
	d := newChance(seed).fixed("backlog", "")
	a := calmAccount("acc0", statusonly)
	a.quota = float64(4 + d.below(0, 30))
	a.looks = 4 * a.quota
	each, bulk := int(a.quota)*10, 1
	if d.hits(2, 0.5) {
		a.together, a.surveys, a.looks = 5, 50, 100
		bulk = a.together
	}
	p.accounts = []accountPlan{a}
	for range each {
		for range bulk {
			p.ask(0, "acc0", "r1", "bulk", vendors.Flush)
		}
		p.ask(0, "acc0", "r1", "normal", vendors.Flush)
	}
	for at := 4 * time.Second; at < 16*time.Second; at += d.between(1, 2*time.Second, 3*time.Second) {
		p.ask(at, "acc0", "r1", "urgent", vendors.Flush)
	}
	return p.sorted()
}

// usedUp checks P4's other half: of a quota under backlog at least 97 % is used.
func (v *verdict) usedUp() {
	calls := v.w.apiCalls()
	n := len(calls)
	conf := &v.w.plan.accounts[0]
	took := calls[n-1].left.Sub(calls[0].left).Seconds()
	if rate := float64(n-1) / took; rate < 0.97*conf.quota {
		v.breaks("P4", "", "under a backlog %.2f calls/s were made of a quota of %g/s", rate, conf.quota)
	}
}

// urgentFirst checks that at most one command, whose share it is, is begun before
// an urgent one that waits, and that at most two are sent before it, those
// included that were being prepared when it came.
func (v *verdict) urgentFirst() {
	notice := 5 * time.Millisecond // until the engine knows what the ledger says
	if v.w.plan.accounts[0].surveys > 0 {
		notice += 40 * time.Millisecond // a turn that begins with a survey
	}
	calls := v.w.apiCalls()
	for i, call := range calls {
		if v.priority(call) != "urgent" {
			continue
		}
		token := call.sends[0].token
		waits := v.waitsFrom(token)
		begun, before := 0, 0
		for _, other := range calls[:i] {
			if v.w.turns[other.sends[0].token].After(waits.Add(notice)) {
				begun++
			}
			if other.agreed.After(waits) {
				before++
			}
		}
		if begun > 1 || before > 2 {
			v.breaks("P6", token, "an urgent command waited from %v on and was sent at %v, after %d other calls, of which %d were begun after it came",
				waits.Sub(v.w.began), call.left.Sub(v.w.began), before, begun)
		}
	}
}

// pulled is how long a command may be under way to its owner, in a lane that has yet to
// be given its consumer.
const pulled = 30 * time.Millisecond

// waitsFrom is from when the engine has a command for certain: its token is claimed, or
// it has been pulled. A claim may come late, with the intent.
func (v *verdict) waitsFrom(token string) time.Time {
	claimed, here := v.book.record[token].versions[0].at, v.book.token[token][0].stored.Add(pulled)
	if claimed.Before(here) {
		return claimed
	}
	return here
}

// priority is that of a call's first command; the others of it are of the same.
func (v *verdict) priority(call *apiCall) string {
	return v.book.token[call.sends[0].token][0].priority
}

// lowestGetsAShare checks that of any ten calls one is the lowest priority's while
// it waits.
func (v *verdict) lowestGetsAShare() {
	last := 0
	calls := v.w.apiCalls()
	for i, call := range calls {
		if v.priority(call) == "bulk" {
			last = i
		}
	}
	without := 0
	for i, call := range calls[:last] {
		if v.priority(call) == "bulk" {
			without = 0
		} else if without++; without >= 10 {
			v.breaks("P6", call.sends[0].token, "%d calls up to the %dth and none of them bulk, though bulk commands wait", without, i)
			return
		}
	}
}
