package simulation

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// TestIsolation checks P7: a vendor that hangs, in one account or one region,
// makes no command of another account or region any slower.
func TestIsolation(t *testing.T) {
	overSeeds(t, 6, func(t *testing.T, seed uint64) {
		alone := judge(simulate(t, neighbours(seed, false)))
		beside := judge(simulate(t, neighbours(seed, true)))
		beside.asQuickAs(alone)
		report(t, beside, seed)
	})
}

// neighbours is a calm account, and with company one beside it that hangs: of its
// own, or another region of the same.
func neighbours(seed uint64, company bool) *plan {
	p := calm(seed, "neighbours")
	p.heal = 2 * time.Minute
	d := newChance(seed).fixed("neighbours", "")
	quiet, loud := calmAccount("acc0", evidence(d.below(0, 3))), calmAccount("acc1", evidence(d.below(1, 3)))
	sick, region := &loud, "r1"
	if d.hits(2, 0.5) {
		quiet.regions, quiet.hangsOnly = []string{"r1", "r2"}, "r2"
		sick, region = &quiet, "r2"
	}
	if company {
		sick.spells["hanging"], sick.hangs = []span{{0, p.heal}}, 1
	}
	p.accounts = []accountPlan{quiet, loud}
	for i := range 60 {
		p.ask(d.between(10+i, 3*time.Second, time.Minute), "acc0", "r1", "normal", quiet.operations[i%len(quiet.operations)])
	}
	for i := range 60 {
		if company {
			p.ask(d.between(100+i, 0, time.Minute), sick.name, region, "urgent", loudOperation(sick, i))
		}
	}
	return p.sorted()
}

func loudOperation(a *accountPlan, i int) vendors.Operation { return a.operations[i%len(a.operations)] }

// asQuickAs compares the first region's commands of the first account.
func (v *verdict) asQuickAs(alone *verdict) {
	const slack = 20 * time.Millisecond
	for key, finals := range alone.book.finals {
		q := alone.book.event[key]
		beside := v.book.finals[key]
		if len(beside) == 0 {
			continue // P1 has it
		}
		before, now := finals[0].at.Sub(alone.w.began), beside[0].at.Sub(v.w.began)
		if now > before+slack {
			v.breaks("P7", q.token, "beside a neighbour that hangs, command %s was answered at %v, alone at %v", q.id, now, before)
		}
	}
}
