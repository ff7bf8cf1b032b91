package events

import (
	"slices"
	"time"
)

// Lane is the lane that the command belongs to.
func (c Command) Lane() Lane {
	return Lane{c.Vendor, c.Account, c.Region, c.Operation, c.Priority}
}

// Matches compares the command with the lane in whose subject it came. Where its
// data states no priority, it takes over the lane's.
func (c *Command) Matches(l Lane) *Refusal {
	if c.priorityOpen && slices.Contains(Priorities(), l.Priority) {
		c.Priority, c.priorityOpen = l.Priority, false
	}
	for _, p := range []struct{ name, subject, event string }{
		{"vendor", l.Vendor, c.Vendor}, {"account", l.Account, c.Account}, {"region", l.Region, c.Region},
		{"operation", l.Operation, c.Operation}, {"priority", l.Priority, c.Priority},
	} {
		if p.subject != p.event {
			return refuse(ReasonSubjectMismatch, "publish to the subject of the command's own lane, or to the intake",
				"the %s in the message's subject is %s, that of the command is %s", p.name, quote(p.subject), quote(p.event))
		}
	}
	return nil
}

// futureSlack is how far ahead of the broker a command's time may be.
const futureSlack = 5 * time.Minute

// Deadline is when the command may no longer start: its own expirytime, or maxAge
// after its time. Without a believable time the broker's receipt counts.
func (c Command) Deadline(maxAge time.Duration) time.Time {
	if !c.ExpiryTime.IsZero() {
		return c.ExpiryTime
	}
	from := c.Event.Time
	if from.IsZero() || from.After(c.Received.Add(futureSlack)) {
		from = c.Received
	}
	return from.Add(maxAge)
}
