package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nuid"

	"github.com/seed-7b870224/sluice/internal/events"
)

// order is one command that is about to leave.
type order struct {
	command events.Command
	raw     []byte
	// stored: the broker has acknowledged it.
	stored bool
}

// instancesOf lists the instances, those of standard input in the place of "-",
// and reports whether each needs a token of its own. Doubles are named once: the
// second could only be a duplicate of the first.
func instancesOf(s std, args []string) (instances []string, several bool, err error) {
	several = len(args) > 1
	named := map[string]bool{}
	for _, arg := range args {
		found := []string{arg}
		if arg == "-" {
			several = true
			if found, err = instanceLines(s); err != nil {
				return nil, false, err
			}
		}
		for _, id := range found {
			if named[id] {
				fmt.Fprintf(s.err, "%s is named more than once; it is sent once\n", printable(id))
				continue
			}
			named[id] = true
			instances = append(instances, id)
		}
	}
	if len(instances) == 0 {
		return nil, false, usagef("standard input names no instance; give one a line")
	}
	return instances, several, nil
}

// instanceLines reads instances from standard input, one a line; blank lines
// count for nothing.
func instanceLines(s std) ([]string, error) {
	var out []string
	lines := bufio.NewScanner(s.in)
	for lines.Scan() {
		if id := strings.TrimSpace(lines.Text()); id != "" {
			out = append(out, id)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, usagef("read instances from standard input: %w", err)
	}
	return out, nil
}

// orders makes the commands; the error names every one that is invalid.
func (f *sendFlags) orders(operation string, instances []string, several bool, now time.Time) ([]*order, error) {
	draft, err := f.draft(operation, now)
	if err != nil {
		return nil, err
	}
	var orders []*order
	var invalid []error
	for _, id := range instances {
		d := draft
		d.InstanceID, d.Token, d.ID = id, f.tokenOf(id, several), nuid.Next()
		command, raw, err := d.Event(now)
		if err != nil {
			invalid = append(invalid, invalidOrder(id, err))
			continue
		}
		orders = append(orders, &order{command: command, raw: raw})
	}
	if len(invalid) > 0 {
		return nil, usagef("nothing was sent: %w", errors.Join(invalid...))
	}
	return orders, nil
}

// draft is what all commands of this send have in common.
func (f *sendFlags) draft(operation string, now time.Time) (events.Draft, error) {
	d := events.Draft{
		Operation: operation, Vendor: f.vendor, Account: f.account, Region: f.region, Priority: f.priority,
		BackupID: f.backup, DryRun: f.dryRun, Source: f.source, Correlation: f.correlation, Traceparent: f.parent,
	}
	if d.Source == "" {
		d.Source = "/sluice/send/" + hostname()
	}
	if f.timePoint != "" {
		at, err := time.Parse(time.RFC3339, f.timePoint)
		if err != nil {
			return d, usagef("--time-point %q is no RFC 3339 timestamp, like 2026-01-02T03:04:05Z", f.timePoint)
		}
		d.TimePoint = at
	}
	if f.expires > 0 {
		d.Expires = now.Add(f.expires)
	}
	if f.passwordRef != "" || f.passwordSealed != "" {
		d.Password = &events.Password{SecretRef: f.passwordRef, Sealed: f.passwordSealed}
	}
	return d, nil
}

// tokenOf names the work on one instance.
func (f *sendFlags) tokenOf(instance string, several bool) string {
	switch {
	case f.token == "":
		return "send-" + nuid.Next()
	case several:
		return f.token + "/" + instance
	}
	return f.token
}

// invalidOrder says of which instance the command is invalid, and what to do.
func invalidOrder(instance string, err error) error {
	var why *events.Refusal
	if errors.As(err, &why) && why.Hint != "" {
		return fmt.Errorf("%s: %w (%s)", instance, err, why.Hint)
	}
	return fmt.Errorf("%s: %w", instance, err)
}
