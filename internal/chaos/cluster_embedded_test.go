package chaos

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/freeport"
)

// TestEmbedded kills a consumer with the broker inside it, with work in flight,
// and starts it again. Its store flushes before every acknowledgement.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	reserve(t, 1)
	listen := freeport.Address(t)
	s := prepareScene(t, "embedded", "nats://"+listen)
	c := s.add("embedded", rig.Config{StoreDir: t.TempDir(), Listen: listen})
	s.open()
	for range times(2, 6) {
		s.fault(c.Kill)
		s.start(c)
		c.WaitReady()
		s.flows()
	}
	s.settle("embedded server killed (-9), with the consumer")
}
