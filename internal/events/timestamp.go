package events

import (
	"errors"
	"strings"
	"time"
)

// The value is not repeated: it may be anything.
var errNoTimestamp = errors.New("not an RFC 3339 timestamp like 2026-01-02T03:04:05Z")

// parseTime reads an RFC 3339 timestamp. Package time would also take an hour of
// one digit and a comma before the fraction, but not the lower-case t and z that
// the RFC allows; and a zone can move a year of four digits to one that results
// could not print.
func parseTime(value string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.ToUpper(value))
	if err != nil || value[len("2006-01-02T15")] != ':' || strings.Contains(value, ",") {
		return time.Time{}, errNoTimestamp
	}
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return time.Time{}, errNoTimestamp
	}
	return t, nil
}
