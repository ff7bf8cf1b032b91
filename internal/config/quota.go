package config

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

// maxPerSecond is the highest quota that can be configured.
const maxPerSecond = 1_000_000

var ratePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)/(s|m)$`)

// Rate is a limit on calls as it is written: N/s or N/m.
type Rate struct {
	PerSecond float64
	// Text is the rate as written.
	Text string
}

// String is the rate as written.
func (r Rate) String() string { return r.Text }

// MarshalText is the rate as written.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.Text), nil }

// UnmarshalText reads N/s or N/m, above zero and up to 1,000,000/s.
func (r *Rate) UnmarshalText(text []byte) error {
	parts := ratePattern.FindStringSubmatch(string(text))
	if parts == nil {
		return errors.New("is not a rate; write calls per second or minute, such as 10/s or 300/m")
	}
	calls, err := strconv.ParseFloat(parts[1], 64)
	if parts[2] == "m" {
		calls /= 60
	}
	if err != nil || calls <= 0 || calls > maxPerSecond {
		return errors.New("is out of range; a rate is above 0 and at most 1000000/s")
	}
	*r = Rate{PerSecond: calls, Text: string(text)}
	return nil
}

// Sync is when the embedded server forces its data to disk.
type Sync struct {
	// Always asks for it after every write. Otherwise Interval is the pause.
	Always   bool
	Interval time.Duration
}

// String is the setting as it is written.
func (s Sync) String() string {
	if s.Always {
		return "always"
	}
	return s.Interval.String()
}

// MarshalText is the setting as it is written.
func (s Sync) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads `always` or an interval above zero.
func (s *Sync) UnmarshalText(text []byte) error {
	if string(text) == "always" {
		*s = Sync{Always: true}
		return nil
	}
	interval, err := time.ParseDuration(string(text))
	if err != nil || interval <= 0 {
		return errors.New("is not a way to sync; write always, or an interval above zero such as 500ms")
	}
	*s = Sync{Interval: interval}
	return nil
}
