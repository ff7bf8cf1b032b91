package chaos

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// A command is told that its token names other work, and the program is killed around
// that. The other work expires unsent and leaves the token free before the command
// comes again: it is told the same.
func TestCrashWhileTokenIsRefused(t *testing.T) {
	t.Parallel()
	url := rig.NewServer(t)
	for _, point := range []string{"told.before", "told.after", "result.after", "ack.before"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			rig.Reserve(t, 1)
			c := newCell(t, url, allWork()[0], crashPoint{name: point, expires: true})
			c.refusesToken()
		})
	}
}

func (c *cell) refusesToken() {
	rival := rig.OfferOf("huawei")
	conf := c.conf
	conf.Accounts = append(conf.Accounts, rig.Accounts(c.clouds, "huawei")...)
	owner := c.consumer
	both := rig.NewConsumer(c.T, "both", conf)

	c.consumer = both
	c.start(c.point.name)
	c.command()
	rig.Eventually(c, "the command waits", func() bool {
		return len(c.clouds.Calls(emulator.Filter{Instance: c.instance})) > 1
	})
	reuse := rival.Draft(events.Restart, rival.Instance(c.instance, 1), c.instance)
	reuse.ID = "reuse"
	c.publish.MustSend(reuse)
	c.dies(c.point.name)

	c.consumer = owner // the rival's queue has to wait
	c.start("")
	rig.Eventually(c, "the command expires", c.answered)
	owner.Term()

	c.consumer = both
	c.start("")
	tally := rig.Settled(c, time.Minute, c.publish, c.results, c.clouds)
	tally.MustBeClean(c)
	if first := c.final(); first.Data.Status != events.Expired {
		c.Errorf("the command is answered %s (%s)", first.Data.Status, reason(first))
	}
	want := events.ReasonTokenReused
	if c.point.name == "told.before" { // it was told nothing, and the token is free
		want = ""
	}
	if got := c.finalOf(reuse.ID); reason(got) != want {
		c.Errorf("the reuse of the token is answered %s (%s)", got.Data.Status, reason(got))
	}
	rig.Add(rig.Row{Fault: "kill -9 while a token is refused", Injected: 1, Tally: tally, Recovery: c.recovery()})
}
