package emulator

import "time"

// work is one accepted operation on an instance. Times are fixed when it is
// accepted, so that its progress is read off the clock and needs no goroutine.
type work struct {
	id       int64
	op       Operation
	instance string
	// accepted is when the vendor took it; from here on it locks the instance.
	accepted time.Time
	// begins is when the status starts to tell, ends when the work is over.
	begins, ends time.Time
	// listed is when lists start to tell.
	listed time.Time
	// hidden work never shows in the instance's status.
	hidden bool
	failed bool
	// backup is what a restore goes back to; remark and name are the caller's.
	backup, remark, name string
}

// phase is how far work is.
type phase int

const (
	waiting phase = iota
	running
	succeeded
	failed
)

func (w work) phase(now time.Time) phase {
	switch {
	case now.Before(w.begins):
		return waiting
	case now.Before(w.ends):
		return running
	case w.failed:
		return failed
	}
	return succeeded
}

func (w work) over(now time.Time) bool { return !now.Before(w.ends) }

// changed is when finished work was over, else when it was accepted.
func (w work) changed(now time.Time) time.Time {
	if w.over(now) {
		return w.ends
	}
	return w.accepted
}

// order asks for work.
type order struct {
	op                   Operation
	backup, remark, name string
	hidden               bool
	instant              bool
}

// plan turns an order into work at a given time.
func (o order) plan(now time.Time, instance string, set settings) *work {
	w := &work{
		op: o.op, instance: instance, hidden: o.hidden, backup: o.backup, remark: o.remark, name: o.name,
		accepted: now, begins: now, listed: now.Add(set.quirks.RowLag),
	}
	if o.instant {
		w.ends = now
		return w
	}
	// The lag delays the work rather than cutting its visible part short, so
	// that a busy status is always to be seen.
	w.begins = now.Add(set.quirks.StatusLag)
	w.ends = w.begins.Add(set.transitions.of(o.op))
	return w
}
