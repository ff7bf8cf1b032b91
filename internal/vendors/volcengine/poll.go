package volcengine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// grace is how long an instance must stay Running to count as done although
	// it was never seen busy: right after a call its status may lag.
	grace = 30 * time.Second
	// singles bounds the look-ups of one instance that a poll makes: one second of
	// their quota.
	singles = 20
)

// memory is what is known of a task from its earlier looks.
type memory struct {
	// SeenBusy: the instance was seen at this task's work.
	SeenBusy bool `json:"seenBusy,omitempty"`
	// OtherAt is when it was last seen busy with something else.
	OtherAt time.Time `json:"otherAt,omitzero"`
}

// Poll looks at the status of the tasks' instances. The number of its calls is
// bounded: the pages of a list, and a second's worth of look-ups of single instances.
// Whoever had no turn among these is Unknown.
func (c *Client) Poll(ctx context.Context, tasks []vendors.Task) []vendors.Progress {
	sights := c.sights(ctx, tasks)
	now := time.Now()
	out := make([]vendors.Progress, len(tasks))
	for i, t := range tasks {
		out[i] = advance(t, sights[t.InstanceID], now)
	}
	return out
}

// advance works out how far a task is from one more look at its instance.
func advance(t vendors.Task, s sight, now time.Time) vendors.Progress {
	if s.verdict.Kind != vendors.Done {
		return vendors.Progress{State: vendors.Unknown, Task: t, Verdict: s.verdict}
	}
	var m memory
	_ = json.Unmarshal(t.State, &m) // A lost memory only makes us wait longer.
	p := vendors.Progress{State: vendors.Running, Verdict: s.verdict}
	switch {
	case s.status == taskFailed || s.status == createFailed:
		p.State = vendors.Failed
		p.Verdict = withResponse(class{vendors.Refused, vendors.ReasonTaskFailed}.verdict(fmt.Sprintf("instance %s went to %s", t.InstanceID, s.status)), s.verdict)
	case s.status != running && s.status == busyStatus(t.Operation):
		m.SeenBusy = true
	case s.status != running:
		m.OtherAt = now.UTC()
	case m.SeenBusy || !now.Before(later(t.AcceptedAt, m.OtherAt).Add(grace)):
		p.State = vendors.Succeeded
	}
	p.Task = t
	p.Task.State, _ = json.Marshal(m)
	return p
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
