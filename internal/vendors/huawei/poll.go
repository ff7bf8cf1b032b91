package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	// settle is how long an instance must look ready to count as done although
	// it was never seen busy: right after a call its status may lag.
	settle = 20 * time.Second
	// apart is the least distance of the two looks that must find it ready; twice
	// that if the later one is a list's, which does not tell whether a task is left.
	apart = time.Second
)

// memory is what is known of a task from its call and its earlier looks.
type memory struct {
	// SeenBusy: the instance was seen at this task's work.
	SeenBusy bool `json:"seenBusy,omitempty"`
	// ReadySince is the first look of those in a row that found it ready.
	ReadySince time.Time `json:"readySince,omitzero"`
	// OtherAt is when it was last seen neither ready nor at this work.
	OtherAt time.Time `json:"otherAt,omitzero"`
	// FromError: it was faulty before the call, so that a fault may be the old one.
	FromError bool `json:"fromError,omitempty"`
	// TaskUnknown: a task may have been at work before the call, so that one shows
	// this work only together with its status.
	TaskUnknown bool `json:"taskUnknown,omitempty"`
	// Marker and Backup find the record of a restore whose id was lost.
	Marker string `json:"marker,omitempty"`
	Backup string `json:"backup,omitempty"`
}

func (m memory) encode() json.RawMessage {
	data, _ := json.Marshal(m)
	return data
}

func recall(t vendors.Task) memory {
	var m memory
	_ = json.Unmarshal(t.State, &m) // A lost memory only makes us wait longer.
	return m
}

// Poll looks at the instances of restarts and flushes, and at the records of
// restores. The number of its calls is bounded: the pages of a list, and a second's
// worth of look-ups of single instances and of records. Whoever had no turn among
// these is Unknown, or judged by the list.
func (c *Client) Poll(ctx context.Context, tasks []vendors.Task) []vendors.Progress {
	var byStatus, byRecord []vendors.Task
	for _, t := range tasks {
		if t.Operation == vendors.Restore {
			byRecord = append(byRecord, t)
		} else {
			byStatus = append(byStatus, t)
		}
	}
	now := time.Now()
	seen, v := c.sights(ctx, tasks)
	c.single(ctx, byStatus, seen, v, now)
	restores := c.pollRestores(ctx, byRecord, seen)
	out := make([]vendors.Progress, len(tasks))
	for i, t := range tasks {
		if t.Operation == vendors.Restore {
			out[i], restores = restores[0], restores[1:]
			continue
		}
		out[i] = advance(t, seen[t.InstanceID], now)
	}
	return out
}

// advance works out how far a task is from one more look at its instance.
func advance(t vendors.Task, s sight, now time.Time) vendors.Progress {
	if s.verdict.Kind != vendors.Done {
		return vendors.Progress{State: vendors.Unknown, Task: t, Verdict: s.verdict}
	}
	m := recall(t)
	p := vendors.Progress{State: vendors.Running, Verdict: s.verdict}
	ready := s.status == running && !s.working
	switch {
	case ready && m.over(t, s.listed, now):
		p.State = vendors.Succeeded
	case ready:
		if m.ReadySince.IsZero() {
			m.ReadySince = now.UTC()
		}
	case ended(s.status) && !m.oldFault(t, s, now):
		p.State = vendors.Failed
		p.Verdict = withResponse(workFailed.verdict(fmt.Sprintf("instance %s went to %s", t.InstanceID, s.status)), s.verdict)
	default:
		m.ReadySince = time.Time{}
		if s.status == busyStatus(t.Operation) || s.working && !m.TaskUnknown {
			m.SeenBusy = true
		} else {
			m.OtherAt = now.UTC()
		}
	}
	p.Task = t
	p.Task.State = m.encode()
	return p
}

// over reports whether a ready instance is done: ready at an earlier look too,
// and either after its work was seen or for so long that it must have been missed.
func (m memory) over(t vendors.Task, listed bool, now time.Time) bool {
	if m.ReadySince.IsZero() {
		return false
	}
	if m.SeenBusy {
		distance := apart
		if listed {
			distance = 2 * apart
		}
		return now.Sub(m.ReadySince) >= distance
	}
	since := t.AcceptedAt
	if m.OtherAt.After(since) {
		since = m.OtherAt
	}
	return now.Sub(since) >= settle
}

// oldFault reports a fault that may be the one from before the restart, which
// the status still shows.
func (m memory) oldFault(t vendors.Task, s sight, now time.Time) bool {
	return s.status == faulty && (s.working || m.FromError && !m.SeenBusy && now.Sub(t.AcceptedAt) < settle)
}
