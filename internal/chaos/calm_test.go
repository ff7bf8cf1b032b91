package chaos

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
)

// Without any fault the rig finds nothing: what the other scenarios find is
// their faults' doing.
func TestCalm(t *testing.T) {
	t.Parallel()
	rig.Reserve(t, 1)
	prefix, clouds := rig.Prefix(t), rig.NewClouds(t, emulator.Options{})
	url := rig.NewServer(t)
	c := rig.NewConsumer(t, "consumer", rig.Config{NATS: url, Prefix: prefix, Accounts: rig.Accounts(clouds)})
	c.Start()
	c.WaitReady()
	p := rig.NewPublisher(t, url, prefix)
	mix := rig.Mix("calm")
	for n := range 60 {
		p.MustSend(mix(n))
	}
	tally := rig.Settled(t, rig.Patience, p, rig.NewResults(t, url, prefix), clouds)
	tally.MustBeClean(t)
	if tally.Statuses["succeeded"] != 60 {
		t.Errorf("results: %v", tally.Statuses)
	}
	if code, _ := c.Term(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	rig.Add(rig.Row{Fault: "none", Tally: tally})
}
