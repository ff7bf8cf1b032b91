package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// bucket is a KV in memory whose answers can be lost.
type bucket struct {
	mu       sync.Mutex
	entries  map[string]broker.Entry
	revision uint64
	// lose says how many answers of writes are lost after they were stored,
	// refuse how many writes fail without being stored.
	lose, refuse int
	full         bool
	// fills makes the bucket full with the next answer that is lost.
	fills bool
	// blind fails a refused creation without showing what was in its way.
	blind bool
	reads int
}

var errGone = errors.New("connection lost")

func (b *bucket) Get(_ context.Context, key string) (broker.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	e, ok := b.entries[key]
	if !ok {
		return broker.Entry{}, broker.ErrNotFound
	}
	return e, nil
}

func (b *bucket) write(key string, value []byte, fits bool) (uint64, error) {
	switch {
	case b.full:
		return 0, broker.ErrFull
	case b.refuse > 0:
		b.refuse--
		return 0, errGone
	case !fits:
		return 0, broker.ErrConflict
	}
	b.revision++
	b.entries[key] = broker.Entry{Key: key, Value: value, Revision: b.revision}
	if b.lose > 0 {
		b.lose--
		b.full = b.fills
		return 0, errGone
	}
	return b.revision, nil
}

func (b *bucket) Create(_ context.Context, key string, value []byte) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held, taken := b.entries[key]
	revision, err := b.write(key, value, !taken)
	if errors.Is(err, broker.ErrConflict) && !b.blind {
		err = &broker.HeldError{Held: held, Cause: err}
	}
	return revision, err
}

func (b *bucket) Update(_ context.Context, key string, value []byte, revision uint64) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.entries[key]
	return b.write(key, value, ok && e.Revision == revision)
}

func (b *bucket) Delete(_ context.Context, key string, revision uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.entries[key]
	if !ok || e.Revision != revision {
		return broker.ErrConflict
	}
	delete(b.entries, key)
	if b.lose > 0 {
		b.lose--
		return errGone
	}
	return nil
}

func (b *bucket) Watch(context.Context, string) (<-chan broker.Entry, error) {
	return nil, errors.New("not used here")
}

func newBucket() *bucket { return &bucket{entries: map[string]broker.Entry{}} }

func claim(t *testing.T, s *Store) *Entry {
	t.Helper()
	e, created, err := s.Claim(t.Context(), "key", "event", Record{Token: "t", Fingerprint: "f"})
	if err != nil || !created {
		t.Fatalf("claim: created %v, %v", created, err)
	}
	return e
}

func TestClaimTakesTheTokenOnce(t *testing.T) {
	b := newBucket()
	claim(t, Open(b, "a"))
	held, created, err := Open(b, "b").Claim(t.Context(), "key", "event", Record{Token: "t", Fingerprint: "other"})
	if err != nil || created {
		t.Fatalf("second claim: created %v, %v", created, err)
	}
	if held.Fingerprint != "f" || held.State != Claimed {
		t.Errorf("the holder's record is %+v", held.Record)
	}
}

// The first write of a draft claims the token, whatever it says; an answer that was
// lost does not make it somebody else's.
func TestDraftClaimsWithItsFirstWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := newBucket()
		s := Open(kv, "a")
		e := s.Draft("k", Record{State: Claimed, Token: "t", Fingerprint: "f"})
		if !e.Draft() || len(kv.entries) != 0 {
			t.Error("a draft is stored")
		}
		kv.lose = 1
		if err := e.Save(t.Context(), func(r *Record) { r.State = Sending }); err != nil || e.Draft() {
			t.Fatalf("the first write: %v, draft %t", err, e.Draft())
		}
		late := Open(kv, "b").Draft("k", Record{State: Claimed, Token: "t"})
		if err := late.TrySave(t.Context(), func(*Record) {}); !errors.Is(err, ErrTaken) || errors.Is(err, ErrLost) || !late.Draft() {
			t.Errorf("a draft of a taken token: %v", err)
		}
		if err := e.Save(t.Context(), func(r *Record) { r.State = Final }); err != nil {
			t.Errorf("the second write: %v", err)
		}
	})
}

// What holds the token of a draft is read once, by whoever refuses the creation.
func TestTakenTokenIsReadOnce(t *testing.T) {
	for _, blind := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			kv := newBucket()
			kv.blind = blind
			first := claim(t, Open(kv, "a"))
			s := Open(kv, "b")
			taken := s.Draft("key", Record{State: Claimed, Token: "t"}).TrySave(t.Context(), func(*Record) {})
			held, created, err := s.ClaimTaken(t.Context(), "key", "event", Record{Token: "t", Fingerprint: "other"}, taken)
			if err != nil || created || held.Fingerprint != first.Fingerprint {
				t.Fatalf("claim of a taken token: %+v, created %t, %v", held, created, err)
			}
			want := 0
			if blind {
				want = 1
			}
			if kv.reads != want {
				t.Errorf("blind %t: %d reads, want %d", blind, kv.reads, want)
			}
			if err := first.Save(t.Context(), func(r *Record) { r.State = Final }); err != nil {
				t.Fatal(err)
			}
			if err := held.Save(t.Context(), func(*Record) {}); !errors.Is(err, ErrLost) {
				t.Errorf("a write over a record that has changed since it was found: %v", err)
			}
		})
	}
}

func TestLostAnswersOfOurOwnWritesAreRecognised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket()
		b.lose = 1
		s := Open(b, "a")
		e := claim(t, s)
		b.lose, b.refuse = 1, 1
		if err := e.Save(t.Context(), func(r *Record) { r.Begin(Attempt{SignedAt: time.Now()}) }); err != nil {
			t.Fatalf("save with a lost answer: %v", err)
		}
		if err := e.Save(t.Context(), func(r *Record) { r.State = Accepted }); err != nil {
			t.Fatalf("the entry did not learn its revision: %v", err)
		}
		got, err := s.Get(t.Context(), "key")
		if err != nil || got.State != Accepted || got.Attempts != 1 {
			t.Errorf("stored: %+v, %v", got, err)
		}
	})
}

func TestWhoeverWasOvertakenLoses(t *testing.T) {
	b := newBucket()
	conflicts := 0
	s := Open(b, "a")
	s.Conflict = func() { conflicts++ }
	old := claim(t, s)
	now, err := Open(b, "b").Get(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	if err := now.Save(t.Context(), func(*Record) {}); err != nil {
		t.Fatal(err)
	}
	err = old.Save(t.Context(), func(r *Record) { r.Begin(Attempt{}) })
	if !errors.Is(err, ErrLost) || conflicts != 1 {
		t.Errorf("the overtaken writer got %v, %d conflicts", err, conflicts)
	}
	if old.State != Claimed || old.Attempts != 0 {
		t.Errorf("a failed save changed the entry: %+v", old.Record)
	}
	if err := old.Save(t.Context(), freed("event")); !errors.Is(err, ErrLost) {
		t.Errorf("the overtaken writer could free the token: %v", err)
	}
}

func TestFullBucketIsNoEndlessRetry(t *testing.T) {
	b := newBucket()
	s := Open(b, "a")
	e := claim(t, s)
	b.full = true
	if err := e.Save(t.Context(), func(*Record) {}); !errors.Is(err, broker.ErrFull) {
		t.Errorf("save: %v", err)
	}
	if _, _, err := s.Claim(t.Context(), "other", "event", Record{}); !errors.Is(err, broker.ErrFull) {
		t.Errorf("claim: %v", err)
	}
}

// A write whose answer was lost is recognised although the bucket has become full
// meanwhile: taken for not stored, it would later pass for somebody else's.
func TestFullBucketHidesNoOwnWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket()
		s := Open(b, "a")
		s.Room = func(_ context.Context, full error) error {
			t.Errorf("waits for room: %v", full)
			return full
		}
		e := claim(t, s)
		b.lose, b.fills = 1, true
		if err := e.Save(t.Context(), func(r *Record) { r.State = Accepted }); err != nil {
			t.Fatalf("save: %v", err)
		}
		b.full = false
		if err := e.Save(t.Context(), func(r *Record) { r.State = Final }); err != nil {
			t.Errorf("the entry did not learn its revision: %v", err)
		}
	})
}

// freed ends a claim whose event is told that its time has passed.
func freed(event string) func(*Record) {
	return func(r *Record) {
		r.Free()
		r.TellExpired(event)
	}
}

// Whoever was told that the token names other work is told so again, also when it is
// free by then; the command that holds it goes on from the note.
func TestToldOfOtherWork(t *testing.T) {
	b := newBucket()
	s := Open(b, "a")
	mine := claim(t, s)
	for i := range maxTold + 1 {
		held, created, err := Open(b, "b").Claim(t.Context(), "key", fmt.Sprint(i), Record{Token: "t", Fingerprint: "g"})
		if err != nil || created {
			t.Fatalf("claim of a taken token: created %v, %v", created, err)
		}
		told := Reuse{Event: fmt.Sprint(i), FirstID: "first"}
		if err := held.Save(t.Context(), func(r *Record) { r.TellReused(told) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := mine.Save(t.Context(), freed("event")); !errors.Is(err, ErrLost) {
		t.Fatalf("save over a note: %v", err)
	}
	if touched, err := mine.Reread(t.Context()); !touched || err != nil {
		t.Fatalf("reread after a note: %v, %v", touched, err)
	}
	if err := mine.Save(t.Context(), freed("event")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time under another's record
		var told *ReusedError
		if _, _, err := s.Claim(t.Context(), "key", "1", Record{Token: "t", Fingerprint: "g"}); !errors.As(err, &told) || told.Told.FirstID != "first" {
			t.Errorf("whoever was refused claims again: %v", err)
		}
		if _, _, err := s.Claim(t.Context(), "key", "0", Record{Token: "t", Fingerprint: "g"}); err != nil {
			t.Errorf("the oldest note was kept: %v", err)
		}
	}
}

// A freed token can be taken by any other event, but the one that held it stays
// expired, and a claim that was under way meanwhile does not bring it back.
func TestFreedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket()
		s := Open(b, "a")
		e := claim(t, s)
		b.lose = 1
		if err := e.Save(t.Context(), freed("event")); err != nil {
			t.Fatalf("free with a lost answer: %v", err)
		}
		if _, err := b.Create(t.Context(), Key("key"), []byte("{}")); !errors.Is(err, broker.ErrConflict) {
			t.Errorf("a late claim found %v", err)
		}
		again := func(event, fingerprint string) (*Entry, bool, error) {
			return s.Claim(t.Context(), "key", event, Record{Token: "t", Fingerprint: fingerprint})
		}
		if _, _, err := again("event", "f"); !errors.Is(err, ErrExpired) {
			t.Errorf("the expired event claims again: %v", err)
		}
		b.lose = 1
		held, created, err := again("other", "g")
		if err != nil || !created || held.Fingerprint != "g" || held.State != Claimed {
			t.Fatalf("claim of a free token: created %v, %v: %+v", created, err, held)
		}
		if _, _, err := again("event", "f"); !errors.Is(err, ErrExpired) {
			t.Errorf("the expired event under another's record: %v", err)
		}
		if _, created, err := again("third", "g"); created || err != nil {
			t.Errorf("a token that is taken again was claimed: %v, %v", created, err)
		}
		if err := held.Save(t.Context(), func(r *Record) { r.Begin(Attempt{}) }); err != nil {
			t.Errorf("the entry of a claim over a free record: %v", err)
		}
	})
}

func TestSaveEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket()
		e := claim(t, Open(b, "a"))
		b.refuse = 1 << 30
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := e.Save(ctx, func(*Record) {}); !errors.Is(err, errGone) {
			t.Errorf("save: %v", err)
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	var r Record
	for range 40 {
		r.Begin(Attempt{})
	}
	if r.Attempts != 40 || len(r.History) != maxHistory || r.Last().N != 40 {
		t.Errorf("attempts %d, kept %d, last %d", r.Attempts, len(r.History), r.Last().N)
	}
}

// A record that was only touched may be written again; one that says something
// else may not.
func TestReread(t *testing.T) {
	b := newBucket()
	mine := claim(t, Open(b, "a"))
	if err := mine.Save(t.Context(), func(r *Record) { r.Begin(Attempt{SignedAt: time.Now()}) }); err != nil {
		t.Fatal(err)
	}
	other, err := Open(b, "b").Get(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Save(t.Context(), func(*Record) {}); err != nil {
		t.Fatal(err)
	}
	if err := mine.Save(t.Context(), func(*Record) {}); !errors.Is(err, ErrLost) {
		t.Fatalf("save over a touch: %v", err)
	}
	if touched, err := mine.Reread(t.Context()); !touched || err != nil {
		t.Fatalf("reread after a touch: %v, %v", touched, err)
	}
	if err := mine.Save(t.Context(), func(r *Record) { r.State = Accepted }); err != nil {
		t.Fatalf("save after a reread: %v", err)
	}
	if err := other.Save(t.Context(), func(r *Record) { r.State = Final }); !errors.Is(err, ErrLost) {
		t.Fatalf("the other's save: %v", err)
	}
	if touched, err := other.Reread(t.Context()); touched || err != nil {
		t.Errorf("reread after a change: %v, %v", touched, err)
	}
}
