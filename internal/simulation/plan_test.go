package simulation

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	leaseTTL        = 8 * time.Second
	missingInstance = "i-missing"
)

// plan is a whole schedule, made from its seed before the run.
type plan struct {
	seed     uint64
	name     string
	accounts []accountPlan
	lives    []lifeEvent
	outages  []span
	// full are the spells in which a stream or bucket takes nothing.
	full map[string][]span
	// heal is when all faults end and whatever is left must settle.
	heal time.Duration
	// Probabilities: that an operation at the broker goes wrong, that a call is
	// lost, turned away or refused, that a replica dies or freezes at a point.
	lossy, lost, transient, refuses, points float64
	// unseen is how often a list does not show an instance that is there.
	unseen float64
	// favourite is the point at which it happens most.
	favourite   string
	onlyFreezes bool // nobody dies at a point
	mostPoints  int
	pointsFrom  time.Duration
	// paused and cut are the probabilities that a replica meets a spell of it.
	paused, cut  float64
	slowest      time.Duration // of the broker's answers
	publications []publication
}

// lifeEvent starts, stops or kills a replica.
type lifeEvent struct {
	at   time.Duration
	slot int
	what string // start, stop, kill
}

// publication is one message that a publisher stores.
type publication struct {
	at      time.Duration
	subject string
	header  broker.Header
	data    []byte
	asks    []*asked
}

// accountPlan is one account.
type accountPlan struct {
	name, vendor string
	kind         evidence
	regions      []string
	operations   []vendors.Operation // switched on
	offered      []vendors.Operation
	life         time.Duration
	quota, looks float64
	together     int // instances that one call takes; 0: one
	surveys      int // instances that a list is asked for; 0: there is none
	polls        int // tasks that one poll is given; 0: the engine's own number
	maxInFlight  int
	attempts     int
	spells       map[string][]span
	hangs        float64 // of calls in a hanging spell
	hangsOnly    string  // the one region that hangs; empty: all
	shortest     time.Duration
	longest      time.Duration // work
	slowest      time.Duration // lag of records
	jitter       time.Duration // of the way to the vendor
	trackTimeout time.Duration
}

func (a *accountPlan) action(op vendors.Operation) string {
	if a.kind == marked && op != vendors.Restore {
		return "Mutate" // two operations behind one action share its quota
	}
	return "Do-" + string(op)
}

// signs is the time that a signature made now carries.
func (a *accountPlan) signs(now time.Time) time.Time {
	if a.kind == tasklist {
		return now.UTC().Truncate(time.Second)
	}
	return now.UTC()
}

func (a *accountPlan) work(d luck) time.Duration { return d.between(30, a.shortest, a.longest) }

func (a *accountPlan) lag(d luck) time.Duration { return d.between(31, 0, a.slowest) }

// travel is the way of a call to the vendor, or back.
func (a *accountPlan) travel(d luck, i int) time.Duration {
	return d.between(40+i, 5*time.Millisecond, 5*time.Millisecond+a.jitter)
}

// latency is the way of an operation to the broker, or back. Nanoseconds decide
// who comes first.
func (p *plan) latency(d luck, i int) time.Duration {
	if d.hits(50+i, 0.02) {
		return d.between(60+i, 50*time.Microsecond, p.slowest)
	}
	return d.between(70+i, 50*time.Microsecond, 800*time.Microsecond)
}

// freeze is how long a replica stands still at a point: a blink, longer than its
// lease, or longer than any signature lives.
func (p *plan) freeze(d luck) time.Duration {
	switch d.below(80, 4) {
	case 0:
		return d.between(81, 100*time.Millisecond, 4*time.Second)
	case 1, 2:
		return d.between(82, 6*time.Second, 20*time.Second)
	}
	return d.between(83, 20*time.Second, 100*time.Second)
}

// lose decides how a call gets lost; empty if it does not.
func (p *plan) lose(d luck) string {
	if !d.hits(90, p.lost) {
		return ""
	}
	return [...]string{"dropped before", "dropped after", "late"}[d.below(91, 3)]
}
