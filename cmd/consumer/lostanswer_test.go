package main

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// The program as it ships, whose search for lost answers is not shortened: where
// the vendor's records can show that it ran, the command succeeds, and it is never
// sent again. TestLostAnswers has every vendor, operation and loss.
func TestLostAnswerIsLookedUp(t *testing.T) {
	t.Parallel()
	clouds, url := cloud(t)
	d := newDaemon(t, url, "secrets: {allowPlaintext: false, dir: "+secretsDir(t)+"}")
	d.start()
	crs := []string{"--vendor", "tencent-crs", "--account", "crs", "--region", "gz", "--password-ref", "pw"}
	for _, c := range []struct {
		name, vendor, action, instance string
		args                           []string
	}{
		{"a restart seen by its status", "volcengine", "RestartDBInstance", "redis-lost1", append([]string{"restart", "redis-lost1"}, volcFlags...)},
		{"a flush seen by its row", "tencent-crs", "ClearRedis", "crs-lost1", append([]string{"flush", "crs-lost1"}, crs...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := clouds.SetFault(emulator.Fault{
				Kind: emulator.FaultDropAfter, Vendor: emulator.Vendor(c.vendor), Action: c.action, Instance: c.instance, Times: 1,
			}); err != nil {
				t.Fatal(err)
			}
			results, code := d.send(c.args...)
			if code != 0 || len(results) != 1 || results[0].Data.Attempts != 1 {
				t.Errorf("exit %d, %+v", code, results)
			}
			if n := len(clouds.Calls(emulator.Filter{Instance: c.instance, Mutations: true})); n != 1 {
				t.Errorf("%d calls left, want 1", n)
			}
		})
	}
	if n := clouds.Effects().ConcurrentEffects; n != 0 {
		t.Errorf("%d mutations ran while another did", n)
	}
}
