package chaos

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/events"
)

// Duplicates that wait for a command whose process dies get its outcome, marked
// as theirs, and whoever reuses its token for other work is refused.
func TestCrashWithDuplicatesWaiting(t *testing.T) {
	t.Parallel()
	url := rig.NewServer(t)
	chosen := map[string]bool{"claim.after": true, "call.sent": true, "accepted.before": true, "outcome.after": true, "result.after": true, "ack.before": true}
	for _, w := range allWork() {
		if w.operation != w.offer.Operations[0] || !rig.Full() && w.offer.Facts.Name != "tencent" {
			continue
		}
		for _, p := range crashPoints {
			if p.first != "" || !rig.Full() && !chosen[p.name] || p.leave(w.sync()) == gone {
				continue
			}
			t.Run(w.path()+p.path(), func(t *testing.T) {
				t.Parallel()
				rig.Reserve(t, 1)
				c := newCell(t, url, w, p)
				c.withDuplicates()
			})
		}
	}
}

func (c *cell) withDuplicates() {
	draft := func(id, instance string) events.Draft {
		d := c.offer.Draft(c.operation, instance, c.instance)
		d.ID = id
		return d
	}
	other := c.offer.Instance(c.instance, 1)
	c.also = []events.Draft{draft("duplicate", c.instance), draft("reuse", other)}
	tally := c.crash()
	tally.MustBeClean(c)
	first, second, reuse := c.final(), c.finalOf("duplicate"), c.finalOf("reuse")
	if !second.Data.Duplicate || first.Data.Duplicate || first.Data.Status != second.Data.Status {
		c.Errorf("the command is answered %s (duplicate %t), its duplicate %s (duplicate %t)",
			first.Data.Status, first.Data.Duplicate, second.Data.Status, second.Data.Duplicate)
	}
	if reuse.Data.Status != events.Rejected || reason(reuse) != events.ReasonTokenReused || len(c.clouds.Mutations(other)) > 0 {
		c.Errorf("the reuse of the token is answered %s (%s)", reuse.Data.Status, reason(reuse))
	}
	rig.Add(rig.Row{Fault: "kill -9 with duplicates waiting", Injected: 1, Tally: tally, Recovery: c.recovery()})
}

func reason(r rig.Result) string {
	if r.Data.Reason == nil {
		return ""
	}
	return r.Data.Reason.Code
}
