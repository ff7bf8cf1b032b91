package simulation

import (
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

var subjects = events.Subjects{Prefix: "sluice"}

// world is everything that outlives a replica: the broker's streams and buckets,
// the clouds, and the records from which the checker judges.
type world struct {
	plan   *plan
	chance *chance
	began  time.Time

	mu        sync.Mutex // guards everything below, and the parts' own state
	seq       uint64
	commands  map[string]*laneStore  // by subject
	consumers map[string]*consumer   // by subject
	listeners map[string][]*listener // by subject
	results   *answers
	dead      *answers
	ledger    *bucket
	leases    *bucket
	clouds    map[string]*cloud // by account
	replicas  []*replica
	crashes   int // by points, so far

	sends    []*send
	findings []*finding
	faults   map[string]int
	asked    []*asked
	// turns is when a command's preparation began, the last time.
	turns map[string]time.Time

	lasted time.Duration
	tally  map[string]int // results by status
}

func newWorld(p *plan) *world {
	w := &world{
		plan: p, chance: newChance(p.seed), began: time.Now(),
		commands: map[string]*laneStore{}, consumers: map[string]*consumer{}, listeners: map[string][]*listener{},
		clouds: map[string]*cloud{}, faults: map[string]int{}, turns: map[string]time.Time{},
	}
	w.results, w.dead = newAnswers(), newAnswers()
	w.ledger = newBucket(w, "ledger", 0)
	w.leases = newBucket(w, "leases", leaseTTL)
	for i := range p.accounts {
		w.clouds[p.accounts[i].name] = newCloud(w, &p.accounts[i])
	}
	return w
}

// since is how far the run is.
func (w *world) since() time.Duration { return time.Since(w.began) }

// count notes an injected fault. The caller holds the lock.
func (w *world) count(fault string) { w.faults[fault]++ }

// noted is count for a caller without the lock.
func (w *world) noted(fault string) {
	w.mu.Lock()
	w.count(fault)
	w.mu.Unlock()
}

// during reports whether a moment lies in one of the spans.
func during(spans []span, at time.Duration) (span, bool) {
	for _, s := range spans {
		if at >= s.from && at < s.to {
			return s, true
		}
	}
	return span{}, false
}

// span is a part of a run.
type span struct{ from, to time.Duration }

var _ broker.Message = (*delivery)(nil)
