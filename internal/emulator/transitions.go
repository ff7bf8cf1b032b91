package emulator

import (
	"encoding/json"
	"time"
)

// Transitions says how long each operation keeps an instance busy.
type Transitions struct {
	Restart, SoftRestart, Flush, Restore, Backup time.Duration
	// Scale multiplies all of them; 0 means 1. A negative duration or scale
	// makes work end at once.
	Scale float64
}

// defaultTransitions are brisk, so that a demonstration does not bore.
var defaultTransitions = Transitions{
	Restart:     2 * time.Second,
	SoftRestart: time.Second,
	Flush:       time.Second,
	Restore:     3 * time.Second,
	Backup:      time.Second,
	Scale:       1,
}

func (t Transitions) withDefaults() Transitions {
	d := defaultTransitions
	for _, f := range []struct {
		have *time.Duration
		want time.Duration
	}{
		{&t.Restart, d.Restart}, {&t.SoftRestart, d.SoftRestart}, {&t.Flush, d.Flush},
		{&t.Restore, d.Restore}, {&t.Backup, d.Backup},
	} {
		if *f.have == 0 {
			*f.have = f.want
		}
	}
	if t.Scale == 0 {
		t.Scale = d.Scale
	}
	return t
}

// of is how long the operation takes now.
func (t Transitions) of(op Operation) time.Duration {
	d := map[Operation]time.Duration{
		Restart: t.Restart, SoftRestart: t.SoftRestart, Flush: t.Flush, Restore: t.Restore, Backup: t.Backup,
	}[op]
	return max(0, time.Duration(float64(d)*t.Scale))
}

// transitionsJSON is the form of Transitions in the administration.
type transitionsJSON struct {
	Restart     duration `json:"restart"`
	SoftRestart duration `json:"softRestart"`
	Flush       duration `json:"flush"`
	Restore     duration `json:"restore"`
	Backup      duration `json:"backup"`
	Scale       float64  `json:"scale"`
}

// MarshalJSON writes durations as text.
func (t Transitions) MarshalJSON() ([]byte, error) { return json.Marshal(t.json()) }

func (t Transitions) json() transitionsJSON {
	return transitionsJSON{
		duration(t.Restart), duration(t.SoftRestart), duration(t.Flush), duration(t.Restore), duration(t.Backup), t.Scale,
	}
}

// UnmarshalJSON changes the fields that are given and keeps the others.
func (t *Transitions) UnmarshalJSON(raw []byte) error {
	j := t.json()
	if err := decodeStrict(raw, &j); err != nil {
		return err
	}
	*t = Transitions{
		time.Duration(j.Restart), time.Duration(j.SoftRestart), time.Duration(j.Flush),
		time.Duration(j.Restore), time.Duration(j.Backup), j.Scale,
	}
	return nil
}
