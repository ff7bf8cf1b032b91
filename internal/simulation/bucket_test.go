package simulation

import (
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// bucket is a key-value bucket's truth. Everything in it is called under the
// world's lock.
type bucket struct {
	w        *world
	name     string
	ttl      time.Duration
	revision uint64
	entries  map[string]broker.Entry
	// history is every write, for the checker.
	history  map[string][]written
	watchers []*watcher
}

// written is one write of a bucket.
type written struct {
	broker.Entry
	by string
}

func newBucket(w *world, name string, ttl time.Duration) *bucket {
	return &bucket{w: w, name: name, ttl: ttl, entries: map[string]broker.Entry{}, history: map[string][]written{}}
}

// live returns a present value. The broker removes what is too old with a little
// delay, as it looks only now and then.
func (b *bucket) live(key string) (broker.Entry, bool) {
	e, ok := b.entries[key]
	if !ok {
		return e, false
	}
	if b.ttl > 0 {
		late := b.w.chance.fixed("expiry", key).between(int(e.Revision%1024), 0, 300*time.Millisecond)
		if time.Since(e.Created) >= b.ttl+late {
			delete(b.entries, key)
			return e, false
		}
	}
	return e, !e.Deleted
}

func (b *bucket) get(key string) (broker.Entry, error) {
	e, ok := b.live(key)
	if !ok {
		return broker.Entry{}, broker.ErrNotFound
	}
	return e, nil
}

func (b *bucket) create(by, key string, value []byte) (uint64, error) {
	if b.w.full(b.name) {
		return 0, broker.ErrFull
	}
	if _, ok := b.live(key); ok {
		return 0, broker.ErrConflict
	}
	return b.write(by, key, value, false), nil
}

func (b *bucket) update(by, key string, value []byte, revision uint64) (uint64, error) {
	if b.w.full(b.name) {
		return 0, broker.ErrFull
	}
	// The marker of a removal has a revision too, and the broker compares with
	// that.
	if _, ok := b.live(key); (!ok && !b.entries[key].Deleted) || b.entries[key].Revision != revision {
		return 0, broker.ErrConflict
	}
	return b.write(by, key, value, false), nil
}

func (b *bucket) delete(by, key string, revision uint64) error {
	if b.w.full(b.name) {
		return broker.ErrFull
	}
	if _, ok := b.live(key); (!ok && !b.entries[key].Deleted) || b.entries[key].Revision != revision {
		return broker.ErrConflict
	}
	b.write(by, key, nil, true)
	return nil
}

func (b *bucket) write(by, key string, value []byte, deleted bool) uint64 {
	b.revision++
	e := broker.Entry{Key: key, Value: slices.Clone(value), Revision: b.revision, Created: time.Now(), Deleted: deleted}
	b.entries[key] = e
	if b.ttl == 0 {
		b.history[key] = append(b.history[key], written{e, by})
	}
	for _, wr := range b.watchers {
		wr.push(e)
	}
	return e.Revision
}
