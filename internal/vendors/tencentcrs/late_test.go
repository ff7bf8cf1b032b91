package tencentcrs

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// A list that does not show yet what was taken a moment ago is no baseline: the
// row would come later and pass for that of a call which never ran.
func TestPrepareWaitsForTheRowOfTakenWork(t *testing.T) {
	t.Parallel()
	old := row("cleanInstance", at(time.Hour), "2")
	s := newCloud(t, map[string][]string{
		actionInstances: {instances("2")},
		actionBackups:   {backups("2")},
		"ClearRedis":    {success(`"data":{"requestId":8}`)},
		actionTasks: {
			tasks(old), // before the flush
			tasks(old), // late
			tasks(old), // for the restore, which looks for other rows
			tasks(old, row("cleanInstance", at(time.Minute), "2")),
			tasks(old, row("cleanInstance", at(time.Minute), "2")),
		},
	})
	c := client(t, s.account())
	base, v := c.Prepare(t.Context(), flush())
	if v.Kind != vendors.Done {
		t.Fatalf("%+v", v)
	}
	if v = c.Execute(t.Context(), flush(), base, accept); v.Kind != vendors.Accepted {
		t.Fatalf("%+v", v)
	}
	if _, v = c.Prepare(t.Context(), flush()); v.Kind != vendors.Busy || !strings.Contains(v.Message, "does not show yet") {
		t.Errorf("while the row is missing: %+v", v)
	}
	if _, v = c.Prepare(t.Context(), restore()); v.Kind != vendors.Done {
		t.Errorf("another operation: %+v", v)
	}
	for range 2 {
		if base, v = c.Prepare(t.Context(), flush()); v.Kind != vendors.Done || !strings.Contains(string(base), `"atNewest":1,"total":2`) {
			t.Errorf("with the row: %+v, %s", v, base)
		}
	}
}
