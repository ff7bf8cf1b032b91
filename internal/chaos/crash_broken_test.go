package chaos

import (
	"slices"
	"testing"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
)

// The matrix is worth something only if it fails where it should: a program that
// records its intent after the call does the work twice when it dies between the
// two, and the audit says so.
func TestMatrixFindsALateIntent(t *testing.T) {
	t.Parallel()
	url := rig.NewServer(t)
	broken := rig.BuildBroken(t, "testdata/intent_after_call.patch", "internal/dispatch/attempt.go")
	flush := work{rig.OfferOf("tencent"), "flush"}
	for _, name := range []string{"call.sent", "call.answered"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig.Reserve(t, 1)
			i := slices.IndexFunc(crashPoints, func(p crashPoint) bool { return p.name == name })
			c := newCell(t, url, flush, crashPoints[i])
			c.consumer.Binary = broken
			if tally := c.crash(); tally.WithoutRight == 0 {
				t.Errorf("the audit finds nothing wrong: %+v", tally)
			} else {
				t.Log(tally.Problems)
			}
		})
	}
}
