package dispatch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// freshness is how old a sighting may be when a command is prepared with it: what
// waits in a lane gets its turn within about a second.
const freshness = 3 * time.Second

// gathering is how long a survey waits for others to join it; lull is how long after a
// survey somebody who comes alone is likely to have company soon.
const (
	gathering = 5 * time.Millisecond
	lull      = 10 * gathering
)

// outlook lets bulk commands that wait on one quota share their look-ups: the first
// that needs to know its instance has those of the others looked at too. Otherwise
// the look-ups of a batch job would need as much of the read quota as there are
// instances.
type outlook struct {
	vendor vendors.Surveyor
	most   int
	// soft ends surveys; work is what the account waits for before it is at rest.
	soft context.Context
	work *sync.WaitGroup

	mu      sync.Mutex
	waiting []*prospect // not looked at, in the order of their coming
	flying  bool        // a survey is under way
	landed  time.Time   // when the latest one ended
	ready   int         // looked at and not used yet
	batch   int         // the size of the last survey
}

// prospect is one instance that will be looked at.
type prospect struct {
	o      *outlook
	id     string
	span   Span          // of the command that will need it; nil if it is not traced
	wanted chan struct{} // made when somebody waits for the look; closed after it
	looked time.Time     // when a survey has looked for it; zero if none has
	seen   *vendors.Sighting
	ready  bool            // counts in o.ready
	failed vendors.Verdict // why nothing was seen; its zero value is no failure
}

func newOutlook(a *account, v vendors.Surveyor) *outlook {
	return &outlook{vendor: v, most: surveyed(a.conf), soft: a.soft, work: &a.work}
}

// leastSurveyed is how many a survey looks at however slowly they are used.
const leastSurveyed = 100

// surveyed is how many a survey looks at: what the vendor shows in one, but hardly more
// than can be used while the look is fresh.
func surveyed(conf *Account) int {
	pace := 0.0
	for _, action := range conf.Facts.Actions {
		pace = max(pace, conf.pace(action))
	}
	used := min(pace*freshness.Seconds()/2, float64(conf.Facts.Survey))
	return max(min(leastSurveyed, conf.Facts.Survey), int(used))
}

// expect tells that an instance will have to be looked at soon. A nil outlook gives
// a prospect that shows nothing.
func (o *outlook) expect(ctx context.Context, id string) *prospect {
	if o == nil {
		return nil
	}
	p := &prospect{o: o, id: id, span: spanOf(ctx)}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, p)
	return p
}

// leave ends the expectation.
func (p *prospect) leave() {
	if p == nil {
		return
	}
	p.o.mu.Lock()
	defer p.o.mu.Unlock()
	if i := slices.Index(p.o.waiting, p); i >= 0 {
		p.o.waiting = slices.Delete(p.o.waiting, i, i+1)
	}
	p.used()
}

// used takes the prospect off those that are ready, and has the next looked at while
// there are some left: whoever finds none misses its permit. The caller holds the lock.
func (p *prospect) used() {
	o := p.o
	if !p.ready {
		return
	}
	p.ready = false
	o.ready--
	if o.ready <= o.batch/4 && len(o.waiting) > o.ready {
		o.start()
	}
}

// look returns what is known of the instance. Nil means that it has to be looked up
// by itself: nothing is shared, or the survey does not show it. A verdict other than
// Done is that of a survey that failed.
func (p *prospect) look(ctx context.Context) (*vendors.Sighting, vendors.Verdict) {
	done := vendors.Verdict{Kind: vendors.Done}
	if p == nil {
		return nil, done
	}
	wanted := p.want()
	if wanted != nil {
		select {
		case <-wanted:
		case <-ctx.Done():
			return nil, done
		}
	}
	p.o.mu.Lock()
	defer p.o.mu.Unlock()
	if p.failed.Kind != 0 {
		return nil, p.failed
	}
	return p.seen, done
}

// want has the instance looked at and returns what is closed after that; nil if
// there is nothing to wait for.
func (p *prospect) want() <-chan struct{} {
	o := p.o
	o.mu.Lock()
	defer o.mu.Unlock()
	p.used()
	if time.Since(p.looked) < freshness {
		return nil // also if it was not there: then a look of its own tells more
	}
	p.seen, p.failed = nil, vendors.Verdict{}
	i := slices.Index(o.waiting, p)
	if i >= 0 && len(o.waiting) == 1 && !o.flying && time.Since(o.landed) > lull {
		o.waiting = nil
		return nil // a look of its own is as cheap
	}
	if i < 0 {
		o.waiting = append(o.waiting, p)
	}
	p.wanted = make(chan struct{})
	o.start()
	return p.wanted
}

// start has somebody make a survey, unless there is one under way. The caller holds
// the lock, and a command that the account waits for.
func (o *outlook) start() {
	if !o.flying {
		o.flying = true
		o.work.Go(func() { o.fly(withPriority(o.soft, prioBulk)) })
	}
}

// fly makes a survey, and more as long as somebody waits for one. It lets some more
// come before each: a list costs the same for many.
func (o *outlook) fly(ctx context.Context) {
	for first := true; ; first = false {
		if o.few() {
			_ = sleep(ctx, gathering)
		}
		batch := o.take(first)
		if len(batch) == 0 {
			return
		}
		ids := make([]string, len(batch))
		for i, p := range batch {
			ids[i] = p.id
		}
		began := time.Now()
		shared, asked := looksOf(ctx, batch)
		seen, v := o.vendor.Survey(shared, ids)
		asked.end(v)
		o.tell(batch, began, seen, v)
	}
}

// few reports that a survey would look at less than half of what it could.
func (o *outlook) few() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting) < o.most/2
}

// take picks what the next survey looks at: first what is waited for, then what soon
// will be; nothing if none is waited for, unless it is to be made anyway.
func (o *outlook) take(anyway bool) (batch []*prospect) {
	o.mu.Lock()
	defer o.mu.Unlock()
	rest := o.waiting[:0:0]
	for _, wanted := range []bool{true, false} {
		for _, p := range o.waiting {
			switch {
			case (p.wanted != nil) != wanted:
			case len(batch) < o.most && (wanted || anyway || len(batch) > 0):
				batch = append(batch, p)
			default:
				rest = append(rest, p)
			}
		}
	}
	o.waiting = rest
	o.flying, o.batch = len(batch) > 0, max(len(batch), o.batch*3/4)
	return batch
}

// tell hands out what a survey has shown. What it could not look at is looked at again
// once somebody wants it.
func (o *outlook) tell(batch []*prospect, began time.Time, seen map[string]vendors.Sighting, v vendors.Verdict) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.landed = time.Now()
	for _, p := range batch {
		s, ok := seen[p.id]
		if ok || v.Kind == vendors.Done {
			p.looked = began
		}
		if ok {
			p.seen = &s
			if p.wanted == nil {
				p.ready = true
				o.ready++
			}
		} else if v.Kind != vendors.Done {
			p.failed = v
		}
		if p.wanted != nil {
			close(p.wanted)
			p.wanted = nil
		}
	}
}
