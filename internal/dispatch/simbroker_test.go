package dispatch

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// simKV is a bucket in memory. fail, if set, may refuse or lose an operation.
type simKV struct {
	mu       sync.Mutex
	entries  map[string]broker.Entry
	revision uint64
	ttl      time.Duration
	watchers []chan broker.Entry
	fail     func(op, key string) (err error, store bool)
	// takes is how long a write takes; one comes after the other.
	takes   time.Duration
	writing chan struct{}
}

func newSimKV(ttl time.Duration) *simKV {
	return &simKV{entries: map[string]broker.Entry{}, ttl: ttl, writing: make(chan struct{}, 1)}
}

func (kv *simKV) failing(op, key string) (error, bool) {
	if kv.fail == nil {
		return nil, true
	}
	return kv.fail(op, key)
}

func (kv *simKV) live(key string) (broker.Entry, bool) {
	e, ok := kv.entries[key]
	if ok && !e.Deleted && kv.ttl > 0 && time.Since(e.Created) >= kv.ttl {
		delete(kv.entries, key)
		return e, false
	}
	return e, ok && !e.Deleted
}

func (kv *simKV) Get(_ context.Context, key string) (broker.Entry, error) {
	kv.mu.Lock()
	defer kv.mu.Unlock()
	if err, _ := kv.failing("get", key); err != nil {
		return broker.Entry{}, err
	}
	e, ok := kv.live(key)
	if !ok {
		return broker.Entry{}, broker.ErrNotFound
	}
	return e, nil
}

func (kv *simKV) put(op, key string, value []byte, fits func(broker.Entry, bool) bool, deleted bool) (uint64, error) {
	kv.writing <- struct{}{}
	time.Sleep(kv.takes)
	<-kv.writing
	kv.mu.Lock()
	defer kv.mu.Unlock()
	err, store := kv.failing(op, key)
	if err != nil && !store {
		return 0, err
	}
	e, ok := kv.live(key)
	if !fits(e, ok) {
		return 0, broker.ErrConflict
	}
	kv.revision++
	e = broker.Entry{Key: key, Value: slices.Clone(value), Revision: kv.revision, Created: time.Now(), Deleted: deleted}
	kv.entries[key] = e
	for _, w := range kv.watchers {
		w <- e
	}
	return e.Revision, err
}

func (kv *simKV) Create(_ context.Context, key string, value []byte) (uint64, error) {
	return kv.put("create", key, value, func(_ broker.Entry, ok bool) bool { return !ok }, false)
}

func (kv *simKV) Update(_ context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return kv.put("update", key, value, func(e broker.Entry, ok bool) bool { return ok && e.Revision == revision }, false)
}

func (kv *simKV) Delete(_ context.Context, key string, revision uint64) error {
	_, err := kv.put("delete", key, nil, func(e broker.Entry, ok bool) bool { return ok && e.Revision == revision }, true)
	return err
}

func (kv *simKV) Watch(ctx context.Context, _ string) (<-chan broker.Entry, error) {
	kv.mu.Lock()
	defer kv.mu.Unlock()
	in, out := make(chan broker.Entry, 4096), make(chan broker.Entry)
	for _, key := range slices.Sorted(maps.Keys(kv.entries)) {
		if e, ok := kv.live(key); ok {
			in <- e
		}
	}
	in <- broker.Entry{}
	kv.watchers = append(kv.watchers, in)
	go func() {
		defer close(out)
		for {
			select {
			case e := <-in:
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// simBroker is a commands stream, its consumers and a record of what was
// published, in memory.
type simBroker struct {
	mu        sync.Mutex
	seq       uint64
	stored    []*simStored
	published []broker.Outgoing
	ids       map[string]bool
	arrivals  map[string]func()
	changed   chan struct{}
	firsts    map[string]int // calls of First by subject
	// publishFail may refuse a publish.
	publishFail func(broker.Outgoing) error
}

type simStored struct {
	subject    string
	header     broker.Header
	data       []byte
	received   time.Time
	seq        uint64
	deliveries int
	hiddenTill time.Time // delivered: not again before
	pending    bool
	acked      bool
}

func newSimBroker() *simBroker {
	return &simBroker{ids: map[string]bool{}, changed: make(chan struct{}), arrivals: map[string]func(){}, firsts: map[string]int{}}
}

func (b *simBroker) signal() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// store puts a command into the stream.
func (b *simBroker) store(subject string, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	b.stored = append(b.stored, &simStored{subject: subject, data: data, received: time.Now(), seq: b.seq})
	b.signal()
	if arrived := b.arrivals[subject]; arrived != nil {
		arrived()
	}
}

func (b *simBroker) Publish(_ context.Context, m broker.Outgoing) error {
	b.mu.Lock()
	fail := b.publishFail
	b.mu.Unlock()
	if fail != nil {
		if err := fail(m); err != nil {
			return err
		}
	}
	if strings.Contains(m.Subject, ".commands.") {
		b.store(m.Subject, m.Data)
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ids[m.ID] {
		return nil
	}
	b.ids[m.ID] = true
	b.published = append(b.published, m)
	return nil
}

func (b *simBroker) Lane(_ context.Context, subject string, ackWait time.Duration, maxPending int) (Lane, error) {
	return &simLane{b: b, subject: subject, ackWait: ackWait, maxPending: maxPending}, nil
}

func (b *simBroker) Intake(ctx context.Context) (Lane, error) {
	return b.Lane(ctx, "sluice.intake", ackWait, 1000)
}

func (b *simBroker) Waiting(context.Context) (map[string]uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]uint64{}
	for _, m := range b.stored {
		if !m.acked {
			out[m.subject]++
		}
	}
	return out, nil
}

func (b *simBroker) WaitingOf(ctx context.Context, _, account string) (map[string]uint64, error) {
	all, err := b.Waiting(ctx)
	maps.DeleteFunc(all, func(subject string, _ uint64) bool { return !strings.Contains(subject, "."+account+".") })
	return all, err
}

// Arrivals keeps one listener per subject, as an engine has one lane.
func (b *simBroker) Arrivals(subject string, arrived func()) (stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrivals[subject] = arrived
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.arrivals, subject)
	}, nil
}

func (b *simBroker) First(_ context.Context, subject string) (broker.Message, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.firsts[subject]++
	for _, m := range b.stored {
		if !m.acked && m.subject == subject {
			return &simMessage{b: b, m: m, delivery: 1}, nil
		}
	}
	return nil, broker.ErrNotFound
}

type simLane struct {
	b          *simBroker
	subject    string
	ackWait    time.Duration
	maxPending int
}

func (l *simLane) take(n int) []broker.Message {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	var out []broker.Message
	for _, m := range l.b.stored {
		if len(out) < n && !m.acked && m.subject == l.subject && (!m.pending || !time.Now().Before(m.hiddenTill)) {
			m.pending, m.hiddenTill = true, time.Now().Add(l.ackWait)
			m.deliveries++
			out = append(out, &simMessage{b: l.b, m: m, delivery: m.deliveries, wait: l.ackWait})
		}
	}
	return out
}

func (l *simLane) Fetch(ctx context.Context, n int, wait time.Duration) ([]broker.Message, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		l.b.mu.Lock()
		changed := l.b.changed
		l.b.mu.Unlock()
		if got := l.take(n); len(got) > 0 {
			return got, nil
		}
		again := time.NewTimer(time.Second)
		select {
		case <-changed:
		case <-again.C:
		case <-timer.C:
			again.Stop()
			return nil, nil
		case <-ctx.Done():
			again.Stop()
			return nil, nil
		}
		again.Stop()
	}
}

func (l *simLane) Unacked(context.Context) (int, error) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	n := 0
	for _, m := range l.b.stored {
		if !m.acked && m.pending && m.subject == l.subject {
			n++
		}
	}
	return n, nil
}

func (l *simLane) Now(context.Context) (waiting, out int, err error) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	for _, m := range l.b.stored {
		switch {
		case m.acked || m.subject != l.subject:
		case m.pending:
			out++
		default:
			waiting++
		}
	}
	return waiting, out, nil
}

func (l *simLane) Reset(context.Context) error {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	for _, m := range l.b.stored {
		if m.subject == l.subject {
			m.pending = false
		}
	}
	l.b.signal()
	return nil
}

func (l *simLane) Release() {}

type simMessage struct {
	b        *simBroker
	m        *simStored
	delivery int
	wait     time.Duration
}

func (m *simMessage) Subject() string       { return m.m.subject }
func (m *simMessage) Header() broker.Header { return m.m.header }
func (m *simMessage) Data() []byte          { return m.m.data }
func (m *simMessage) Received() time.Time   { return m.m.received }
func (m *simMessage) Sequence() uint64      { return m.m.seq }
func (m *simMessage) Deliveries() int       { return m.delivery }
func (m *simMessage) First() bool           { return m.delivery == 1 }

func (m *simMessage) Ack(context.Context) error {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	m.m.acked = true
	return nil
}

func (m *simMessage) Nak(delay time.Duration) error {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	m.m.hiddenTill = time.Now().Add(delay)
	m.b.signal()
	return nil
}

func (m *simMessage) InProgress() error {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	m.m.hiddenTill = time.Now().Add(m.wait)
	return nil
}
