package simulation

import (
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// duplicateWindow is how long a stream knows the ids that it has stored.
const duplicateWindow = 2 * time.Minute

// stored is one command in the commands stream.
type stored struct {
	seq      uint64
	subject  string
	header   broker.Header
	data     []byte
	received time.Time
}

// laneStore holds the commands of one subject, oldest first; what is gone is nil.
type laneStore struct {
	all  []*stored
	left int
	ids  map[string]time.Time
}

func (w *world) lane(subject string) *laneStore {
	s := w.commands[subject]
	if s == nil {
		s = &laneStore{ids: map[string]time.Time{}}
		w.commands[subject] = s
	}
	return s
}

// store puts a command into its stream. The caller holds the lock.
func (w *world) store(subject, id string, header broker.Header, data []byte) {
	s, now := w.lane(subject), time.Now()
	if id != "" {
		if at, known := s.ids[id]; known && now.Sub(at) < duplicateWindow {
			return
		}
		s.ids[id] = now
	}
	w.seq++
	s.all = append(s.all, &stored{w.seq, subject, header, data, now})
	s.left++
	if c := w.consumers[subject]; c != nil {
		c.pump()
	}
	if (len(s.all)+len(subject))%unheard == 0 {
		return
	}
	for _, l := range w.listeners[subject] {
		l.arrived()
	}
}

// unheard is how many arrivals there are for one that nobody hears of.
const unheard = 3

// listener is told of arrivals in a lane.
type listener struct{ arrived func() }

// remove ends a command for good.
func (s *laneStore) remove(seq uint64) bool {
	for i, m := range s.all {
		if m != nil && m.seq == seq {
			s.all[i] = nil
			s.left--
			return true
		}
	}
	return false
}

func (s *laneStore) find(seq uint64) *stored {
	for _, m := range s.all {
		if m != nil && m.seq == seq {
			return m
		}
	}
	return nil
}

// waiting counts the stored commands by subject.
func (w *world) waiting() map[string]uint64 {
	out := map[string]uint64{}
	for subject, s := range w.commands {
		if s.left > 0 {
			out[subject] = uint64(s.left)
		}
	}
	return out
}

// takes reports whether the commands stream takes a subject: the intake, and
// lanes of configured accounts.
func (w *world) takes(subject string) bool {
	if subject == subjects.Intake() {
		return true
	}
	id, ok := subjects.ParseLane(subject)
	c := w.clouds[id.Account]
	return ok && c != nil && c.conf.vendor == id.Vendor
}

// answers is a stream of results or dead letters.
type answers struct {
	all []answer
	ids map[string]time.Time
}

type answer struct {
	broker.Outgoing
	at time.Time
	by string
}

func newAnswers() *answers { return &answers{ids: map[string]time.Time{}} }

func (a *answers) store(by string, m broker.Outgoing) {
	now := time.Now()
	if at, known := a.ids[m.ID]; known && now.Sub(at) < duplicateWindow {
		return
	}
	a.ids[m.ID] = now
	a.all = append(a.all, answer{m, now, by})
}

// publish stores a replica's message in whichever stream takes it. The caller
// holds the lock.
func (w *world) publish(by string, m broker.Outgoing) error {
	switch {
	case strings.HasPrefix(m.Subject, "sluice.results."):
		if w.full("results") {
			return broker.ErrFull
		}
		w.results.store(by, m)
	case strings.HasPrefix(m.Subject, "sluice.deadletters."):
		if w.full("deadletters") {
			return broker.ErrFull
		}
		w.dead.store(by, m)
	case w.takes(m.Subject):
		w.store(m.Subject, m.ID, m.Header, m.Data)
	default:
		return broker.ErrNoStream
	}
	return nil
}

// full reports a spell in which a stream or bucket has reached its limit.
func (w *world) full(name string) bool {
	_, is := during(w.plan.full[name], w.since())
	if is {
		w.count("stream full")
	}
	return is
}
