// Package load publishes commands as fast as the broker takes them and sees what
// becomes of them.
package load

import (
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// Lane is where commands go.
type Lane struct {
	Prefix, Vendor, Account, Region, Operation, Priority string
}

// Subject is the lane's.
func (l Lane) Subject() string {
	return events.Subjects{Prefix: l.Prefix}.Lane(events.Lane{
		Vendor: l.Vendor, Account: l.Account, Region: l.Region, Operation: l.Operation, Priority: l.Priority,
	})
}

// Command is one command for a lane.
type Command struct {
	// ID is the event's; Token names the work.
	ID, Token, Instance string
}

// Event is the command event in structured mode. It is put together by hand, since
// a million of them are to be published; Check says whether the consumer will
// take it.
func (l Lane) Event(c Command, now time.Time) []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"specversion":"1.0","id":"`...)
	b = append(b, c.ID...)
	b = append(b, `","source":"/bench","type":"dev.sluice.command.`...)
	b = append(b, l.Operation...)
	b = append(b, `.v1","subject":"`...)
	b = append(b, c.Instance...)
	b = append(b, `","time":"`...)
	b = now.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","datacontenttype":"application/json","data":{"clientToken":"`...)
	b = append(b, c.Token...)
	for _, member := range [...][2]string{
		{"vendor", l.Vendor}, {"account", l.Account}, {"region", l.Region}, {"instanceId", c.Instance}, {"priority", l.Priority},
	} {
		b = append(b, `","`...)
		b = append(b, member[0]...)
		b = append(b, `":"`...)
		b = append(b, member[1]...)
	}
	return append(b, `"}}`...)
}

// Check reads an event as the consumer will.
func Check(raw []byte) error {
	env, err := events.Open(nil, raw)
	if err != nil {
		return fmt.Errorf("load: the command is no event: %w", err)
	}
	if _, why := events.Parse(env, time.Now()); why != nil {
		return fmt.Errorf("load: the command would be refused: %w", why)
	}
	return nil
}
