package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// rules tell why the configuration refuses a command, or nil.
type rules = func(events.Command, time.Time) *events.Refusal

// finding is what is to be said of one file or one member of a batch.
type finding struct {
	File string `json:"file"`
	// Index is the member's place in a batch.
	Index *int `json:"index,omitempty"`
	OK    bool `json:"ok"`
	// Code is a reason code of results or dead letters.
	Code    string `json:"code,omitempty"`
	Pointer string `json:"pointer,omitempty"`
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"`
	// what is the command in words.
	what string
}

// files checks every event and fails if one is bad.
func (c *checker) files(names []string) error {
	bad := false
	for _, name := range names {
		data, err := c.read(name)
		if err != nil {
			return err
		}
		for _, f := range c.events(name, data) {
			bad = bad || !f.OK
			if err := c.report(f); err != nil {
				return err
			}
		}
	}
	if bad {
		return errSilent
	}
	return nil
}

// events checks the one event or each of the batch.
func (c *checker) events(name string, data []byte) []finding {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		env, err := events.Open(nil, data)
		return []finding{c.event(finding{File: name}, env, err)}
	}
	header := map[string][]string{"Content-Type": {"application/cloudevents-batch+json"}}
	items, ok := events.OpenBatch(header, data)
	if !ok {
		return []finding{unreadable(finding{File: name}, &events.Undecodable{
			Reason: events.TooLarge, Detail: fmt.Sprintf("the batch has %d bytes; at most %d are taken", len(data), events.MaxPayload)})}
	}
	found := make([]finding, len(items))
	for i, item := range items {
		var err error
		if item.Err != nil {
			err = item.Err
		}
		found[i] = c.event(finding{File: name, Index: &i}, item.Envelope, err)
	}
	return found
}

// event checks one event as a lane would.
func (c *checker) event(f finding, env events.Envelope, err error) finding {
	var bad *events.Undecodable
	if errors.As(err, &bad) {
		return unreadable(f, bad)
	}
	now := time.Now()
	cmd, why := events.Parse(env, now)
	if why == nil && c.rules != nil {
		why = c.rules(cmd, checkTime(cmd, now))
	}
	if why != nil {
		f.Code, f.Message, f.Hint, f.Pointer = why.Code, why.Message, why.Hint, pointerIn(why.Message)
		return f
	}
	f.OK = true
	f.what = fmt.Sprintf("%s %s at %s/%s/%s, priority %s", cmd.Operation, cmd.InstanceID, cmd.Vendor, cmd.Account, cmd.Region, cmd.Priority)
	return f
}

// checkTime is the moment at which expiry is judged. A file is kept and checked
// again and again, so the default age is counted from the event's own time; only
// an expirytime that was written down is compared with the clock.
func checkTime(cmd events.Command, now time.Time) time.Time {
	if cmd.ExpiryTime.IsZero() && !cmd.Event.Time.IsZero() {
		return cmd.Event.Time
	}
	return now
}

func unreadable(f finding, u *events.Undecodable) finding {
	f.Code, f.Message, f.Hint = u.Reason, u.Detail, "it would become a dead letter"
	return f
}

// leadingPointer is the JSON pointer with which a schema refusal begins.
var leadingPointer = regexp.MustCompile(`^(/\S*?):?\s`)

func pointerIn(message string) string {
	if m := leadingPointer.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// report prints one finding.
func (c *checker) report(f finding) error {
	if c.json {
		return writeJSON(c.s.out, f)
	}
	name := f.File
	if f.Index != nil {
		name = fmt.Sprintf("%s[%d]", f.File, *f.Index)
	}
	text := "ok: " + f.what
	if !f.OK {
		text = f.Code + ": " + f.Message
		if f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
	}
	_, err := fmt.Fprintf(c.s.out, "%s: %s\n", name, printable(text))
	return err
}
