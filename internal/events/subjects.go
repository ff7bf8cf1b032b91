package events

import (
	"slices"
	"strings"
)

// Subjects builds and parses subjects under a prefix.
type Subjects struct{ Prefix string }

// Lane names the queue of one (account, region, operation, priority).
type Lane struct{ Vendor, Account, Region, Operation, Priority string }

// String is the lane as in its subject.
func (l Lane) String() string {
	return strings.Join([]string{l.Vendor, l.Account, l.Region, l.Operation, l.Priority}, ".")
}

// Intake is the subject of publishers that cannot compute a lane's.
func (s Subjects) Intake() string { return s.Prefix + ".intake" }

// Lane is the subject of a lane.
func (s Subjects) Lane(l Lane) string { return s.Prefix + ".commands." + l.String() }

// ParseLane reads a lane's subject.
func (s Subjects) ParseLane(subject string) (Lane, bool) {
	rest, ok := strings.CutPrefix(subject, s.Prefix+".commands.")
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 5 || slices.Contains(parts, "") {
		return Lane{}, false
	}
	return Lane{parts[0], parts[1], parts[2], parts[3], parts[4]}, true
}

// Result is the subject of a result; a part that cannot stand in a subject is _.
func (s Subjects) Result(r Result) string {
	return strings.Join([]string{s.Prefix, "results", part(r.Vendor), part(r.Account), part(r.Region), part(r.Operation), part(r.Status)}, ".")
}

// DeadLetter is the subject of dead letters with the reason.
func (s Subjects) DeadLetter(reason string) string { return s.Prefix + ".deadletters." + part(reason) }

// part is the value where it is 1 to 64 of [A-Za-z0-9_-], else _.
func part(value string) string {
	if value == "" || len(value) > 64 {
		return "_"
	}
	for _, c := range []byte(value) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
		if !ok {
			return "_"
		}
	}
	return value
}
