package rig

import (
	"context"
	"strings"
	"time"
)

// Emulator is `consumer emulate` as a process.
type Emulator struct {
	*Process
	// URL is the endpoint for all vendors; its admin interface is below
	// URL/_emulator/.
	URL string
}

// StartEmulator runs the emulated clouds with their own quotas.
func (r *Rig) StartEmulator(ctx context.Context) (*Emulator, error) {
	p, err := r.Start("consumer", "", nil, "emulate", "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &Emulator{Process: p}
	err = Await(ctx, 10*time.Second, 5*time.Millisecond, "the emulated clouds", func() bool {
		_, rest, ok := strings.Cut(p.Log(), "emulated clouds on ")
		e.URL, _, _ = strings.Cut(rest, " ")
		return ok
	}, p)
	return e, err
}
