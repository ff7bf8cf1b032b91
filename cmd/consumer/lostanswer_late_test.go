package main

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// Two flushes follow each other on an instance, and the vendor lists the first
// only after the second could have begun. When the second is lost before it has
// any effect, the row of the first must not pass for its own.
func TestLostAnswerBesideALateRow(t *testing.T) {
	t.Parallel()
	clouds, url := lossyCloud(t, emulator.Quirks{RowLag: workTime + 2*time.Second})
	both := []string{"tencent", "tencent-crs"}
	var accounts string
	for _, vendor := range both {
		accounts += lossyAccount("prod", vendor, url)
	}
	d := newLossyDaemon(t, 30*time.Second, accounts)
	d.startFaulty("")
	conn := d.connect()
	flush := func(which string) map[string][]events.Result {
		var tokens []string
		for _, vendor := range both {
			tokens = append(tokens, which+vendor)
			d.ask(conn, "flush", vendor, "prod", "lost-"+vendor, which+vendor)
		}
		return d.finals(conn, tokens...)
	}
	first := flush("first-")
	for _, vendor := range both {
		if _, err := clouds.SetFault(emulator.Fault{
			Kind: emulator.FaultDropBefore, Vendor: emulator.Vendor(vendor), Operation: emulator.Flush, Times: 1,
		}); err != nil {
			t.Fatal(err)
		}
	}
	second := flush("second-")
	for _, vendor := range both {
		one, two := first["first-"+vendor][0], second["second-"+vendor][0]
		if one.Status != events.Succeeded || two.Status != events.Succeeded || one.Attempts != 1 || two.Attempts != 2 {
			t.Errorf("%s: %s after %d attempts, then %s after %d", vendor, one.Status, one.Attempts, two.Status, two.Attempts)
		}
		if n := clouds.Effects().Total("lost-"+vendor, emulator.Flush); n != 2 {
			t.Errorf("%s: %d flushes, want 2", vendor, n)
		}
	}
}
