package rig

import (
	"fmt"

	"github.com/seed-7b870224/sluice/internal/events"
)

// Mix makes a mixed load: every operation of the vendors in turn (all of them if
// none is named), all priorities, an instance of its own for each command, and
// every tenth command a duplicate of the one before: the same token and work
// under another event id.
func Mix(scenario string, vendors ...string) func(n int) events.Draft {
	type kind struct {
		offer     Offer
		operation string
	}
	var kinds []kind
	for _, a := range Accounts(&Clouds{}, vendors...) {
		o := OfferOf(a.Vendor)
		for _, op := range o.Operations {
			kinds = append(kinds, kind{o, op})
		}
	}
	return func(n int) events.Draft {
		of := n
		if n%10 == 9 {
			of = n - 1
		}
		k := kinds[of%len(kinds)]
		d := k.offer.Draft(k.operation, k.offer.Instance(scenario, of), fmt.Sprintf("%s-%d", scenario, of))
		d.ID = fmt.Sprintf("%s-event-%d", scenario, n)
		d.Priority = events.Priorities()[(of/len(kinds))%3]
		return d
	}
}
