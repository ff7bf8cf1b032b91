package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// ErrLost means that somebody else has changed the record since it was read:
// this process no longer speaks for the token and must not send for it.
var ErrLost = errors.New("the ledger record was changed by another replica")

// ErrTaken means that a draft's token has a record already: nothing was stored.
// Store.ClaimTaken goes on from there.
var ErrTaken = errors.New("the token has a record already")

// ErrExpired means that the event was told before that its time had passed.
var ErrExpired = errors.New("the event was told before that it had expired")

// ReusedError means that the event was told before that the token names other work.
type ReusedError struct{ Told Reuse }

// Error is error's.
func (e *ReusedError) Error() string {
	return "the event was told before that its token names other work"
}

const (
	// retryPause is how long a write waits before it asks again what became of it.
	retryPause = 200 * time.Millisecond
	// stuckAfter is how long a write may be tried before somebody is told.
	stuckAfter = 5 * time.Second
)

// Store is the ledger's bucket as one process sees it.
type Store struct {
	kv     broker.KV
	writer string
	writes atomic.Uint64
	// Conflict is told of every lost compare-and-set.
	Conflict func()
	// Stuck is told again and again of a write that has been tried for longer
	// than a few seconds, with the latest error.
	Stuck func(key string, since time.Duration, err error)
	// Room waits before a write that found the bucket full is tried again, or
	// returns an error to end it. The tries stay one write, so that one which was
	// stored after all is recognised.
	Room func(ctx context.Context, full error) error
}

// Open returns the ledger over a bucket. writer must be unique to this process,
// restarts included.
func Open(kv broker.KV, writer string) *Store {
	return &Store{kv: kv, writer: writer, Conflict: func() {}, Stuck: func(string, time.Duration, error) {}, Room: noRoom}
}

// noRoom ends a write into a full bucket.
func noRoom(_ context.Context, full error) error { return full }

// Key is the bucket's key of a token key.
func Key(tokenKey string) string { return "op." + tokenKey }

// Entry is a record as last read or written by this process. It is used by one
// goroutine at a time.
type Entry struct {
	Record
	store    *Store
	key      string
	revision uint64
}

// Get reads the record of a token key, or broker.ErrNotFound.
func (s *Store) Get(ctx context.Context, tokenKey string) (*Entry, error) {
	return s.read(ctx, Key(tokenKey))
}

func (s *Store) read(ctx context.Context, key string) (*Entry, error) {
	got, err := s.kv.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("ledger: read %s: %w", key, err)
	}
	return s.entry(got, nil)
}

// entry decodes what was read, unless that failed.
func (s *Store) entry(got broker.Entry, err error) (*Entry, error) {
	if err != nil {
		return nil, err
	}
	e := &Entry{store: s, key: got.Key, revision: got.Revision}
	if err := json.Unmarshal(got.Value, &e.Record); err != nil {
		return nil, fmt.Errorf("ledger: record %s does not decode: %w", got.Key, err)
	}
	return e, nil
}

// Claim takes the token with the given record for an event, or returns the record
// that holds it already. ErrExpired or a *ReusedError means that the event was refused
// before. Claim returns only when one of these is certain, or ctx ends.
func (s *Store) Claim(ctx context.Context, tokenKey, event string, r Record) (e *Entry, created bool, err error) {
	return s.ClaimTaken(ctx, tokenKey, event, r, nil)
}

// ClaimTaken is Claim after a draft's ErrTaken, if taken is not nil: what holds the token
// is not looked for again.
func (s *Store) ClaimTaken(ctx context.Context, tokenKey, event string, r Record, taken error) (e *Entry, created bool, err error) {
	r.State = Claimed
	e = &Entry{Record: r, store: s, key: Key(tokenKey)}
	value, err := e.stamp(&e.Record)
	if err != nil {
		return nil, false, err
	}
	tries := s.patience(e.key)
	for {
		if ctx.Err() != nil {
			return nil, false, fmt.Errorf("ledger: claim: %w", context.Cause(ctx))
		}
		if err = taken; taken == nil {
			if e.revision, err = s.kv.Create(ctx, e.key, value); err == nil {
				return e, true, nil
			}
		}
		taken = nil
		held, getErr := s.entry(s.inTheWay(ctx, e.key, err))
		switch {
		case getErr == nil && held.Writer == e.Writer && held.Write == e.Write:
			return held, true, nil
		case getErr == nil:
			return s.claimHeld(ctx, tokenKey, event, held, r)
		case errors.Is(err, broker.ErrFull):
			if err := s.Room(ctx, err); err != nil {
				return nil, false, fmt.Errorf("ledger: claim: %w", err)
			}
			continue
		}
		if err := tries.pause(ctx, err); err != nil {
			return nil, false, fmt.Errorf("ledger: claim: %w", err)
		}
	}
}

// inTheWay is what a write has failed for, which its error may show.
func (s *Store) inTheWay(ctx context.Context, key string, cause error) (broker.Entry, error) {
	var held *broker.HeldError
	if errors.As(cause, &held) {
		return held.Held, nil
	}
	return s.kv.Get(ctx, key)
}

// Draft is the record of a token that is thought to be new, not stored yet: its first
// write claims the token, or returns ErrTaken.
func (s *Store) Draft(tokenKey string, r Record) *Entry {
	return &Entry{Record: r, store: s, key: Key(tokenKey)}
}

// Draft reports that nothing of the entry is stored yet.
func (e *Entry) Draft() bool { return e.revision == 0 }

// claimHeld is Claim for a token that has a record, which may be free.
func (s *Store) claimHeld(ctx context.Context, tokenKey, event string, held *Entry, r Record) (*Entry, bool, error) {
	told, reused := held.ToldReused(event)
	switch {
	case held.ToldExpired(event):
		return nil, false, fmt.Errorf("ledger: claim: %w", ErrExpired)
	case reused:
		return nil, false, fmt.Errorf("ledger: claim: %w", &ReusedError{told})
	case held.State == Free:
		return s.claimFree(ctx, tokenKey, event, held, r)
	}
	return held, false, nil
}

// claimFree takes a token that was freed, unless somebody else is quicker.
func (s *Store) claimFree(ctx context.Context, tokenKey, event string, held *Entry, r Record) (*Entry, bool, error) {
	err := held.Save(ctx, func(now *Record) {
		r.Expired, r.Reused = now.Expired, now.Reused
		*now = r
	})
	switch {
	case err == nil:
		return held, true, nil
	case errors.Is(err, ErrLost):
		return s.Claim(ctx, tokenKey, event, r)
	}
	return nil, false, err
}

// Save changes the record by compare-and-set, and waits for room if the bucket is
// full. It returns nil only when the change is stored, ErrLost when somebody else was
// first, and any other error when ctx ended or there is no room; then the change may
// or may not be stored and the entry must be read again.
func (e *Entry) Save(ctx context.Context, change func(*Record)) error {
	return e.save(ctx, change, e.store.Room)
}

// TrySave is Save without the waiting for room.
func (e *Entry) TrySave(ctx context.Context, change func(*Record)) error {
	return e.save(ctx, change, noRoom)
}

func (e *Entry) save(ctx context.Context, change func(*Record), room func(context.Context, error) error) error {
	next := e.clone()
	change(&next)
	value, err := e.stamp(&next)
	if err != nil {
		return err
	}
	rev, err := e.write(ctx, value, next.Write, room)
	if err != nil {
		return fmt.Errorf("ledger: write %s: %w", e.key, err)
	}
	e.Record, e.revision = next, rev
	return nil
}

// write stores value, whatever the connection does meanwhile: a repeated
// compare-and-set either stores the value once or finds itself stored already.
func (e *Entry) write(ctx context.Context, value []byte, write uint64, room func(context.Context, error) error) (uint64, error) {
	tries := e.store.patience(e.key)
	for try := 0; ; try++ {
		rev, err := e.put(ctx, value)
		switch {
		case err == nil:
			return rev, nil
		case errors.Is(err, broker.ErrConflict):
			got, mine, getErr := e.stored(ctx, write, err)
			switch {
			case getErr == nil && mine:
				return got.Revision, nil
			case getErr == nil && e.Draft() && got.Revision != 0:
				return 0, &broker.HeldError{Held: got, Cause: ErrTaken}
			case getErr == nil && got.Revision != e.revision:
				e.store.Conflict()
				return 0, ErrLost
			case getErr != nil:
				err = getErr
			}
			// The record is as it was: in the way is a write that is not stored
			// yet, in a cluster perhaps our own of a moment ago.
		case errors.Is(err, broker.ErrFull):
			if got, mine, getErr := e.stored(ctx, write, err); try > 0 && getErr == nil && mine {
				return got.Revision, nil // by an earlier try, whose answer was lost
			}
			if err := room(ctx, err); err != nil {
				return 0, err
			}
			continue
		}
		if err := tries.pause(ctx, err); err != nil {
			return 0, err
		}
	}
}

// put is one try of a write.
func (e *Entry) put(ctx context.Context, value []byte) (uint64, error) {
	if e.Draft() {
		return e.store.kv.Create(ctx, e.key, value)
	}
	return e.store.kv.Update(ctx, e.key, value, e.revision)
}

// stored is what the bucket holds, its revision zero if that is nothing, and whether it
// is this process's given write. The error of the write may show it.
func (e *Entry) stored(ctx context.Context, write uint64, cause error) (got broker.Entry, mine bool, err error) {
	got, err = e.store.inTheWay(ctx, e.key, cause)
	if errors.Is(err, broker.ErrNotFound) {
		return broker.Entry{}, false, nil
	}
	if err != nil {
		return broker.Entry{}, false, err
	}
	var r struct {
		Writer string `json:"writer"`
		Write  uint64 `json:"write"`
	}
	if err := json.Unmarshal(got.Value, &r); err != nil {
		return got, false, nil
	}
	return got, r.Writer == e.store.writer && r.Write == write, nil
}

// Reread reads the record again after ErrLost. It reports whether the record says
// what the entry says, so that it was only touched, or whom else was told what was
// noted; then the entry may write again.
func (e *Entry) Reread(ctx context.Context) (touched bool, err error) {
	now, err := e.store.read(ctx, e.key)
	if err != nil {
		return false, err
	}
	mine, theirs := e.Record, now.Record
	mine.Writer, mine.Write = theirs.Writer, theirs.Write
	mine.Expired, mine.Reused = theirs.Expired, theirs.Reused
	a, err := json.Marshal(mine)
	if err != nil {
		return false, err
	}
	b, err := json.Marshal(theirs)
	if err != nil || !bytes.Equal(a, b) {
		return false, err
	}
	e.Record, e.revision = now.Record, now.revision
	return true, nil
}

// clone copies the record, so that a failed write leaves the entry as it was.
func (e *Entry) clone() Record {
	next := e.Record
	next.History = append([]Attempt(nil), e.History...)
	return next
}

// stamp names the version and encodes it.
func (e *Entry) stamp(r *Record) ([]byte, error) {
	r.Writer, r.Write = e.store.writer, e.store.writes.Add(1)
	value, err := r.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("ledger: encode record %s: %w", e.key, err)
	}
	return value, nil
}

// patience is one write that is tried until it is certain what became of it.
type patience struct {
	store *Store
	key   string
	began time.Time
}

func (s *Store) patience(key string) patience { return patience{s, key, time.Now()} }

// pause waits before the next try, or gives the cause back once ctx has ended.
func (p patience) pause(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	if since := time.Since(p.began); since >= stuckAfter {
		p.store.Stuck(p.key, since, cause)
	}
	t := time.NewTimer(retryPause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return cause
	}
}
