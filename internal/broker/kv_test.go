package broker

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestBucketCompareAndSet(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	ctx := testContext(t)
	kv := newBucket(c, c.names.ledger)
	if _, err := kv.Get(ctx, "op.a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("get of nothing: %v", err)
	}
	if _, err := kv.Update(ctx, "op.a", nil, 7); !errors.Is(err, ErrConflict) {
		t.Errorf("update of nothing: %v", err)
	}
	first, err := kv.Create(ctx, "op.a", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Create(ctx, "op.a", []byte("x")); !errors.Is(err, ErrConflict) {
		t.Errorf("create of what exists: %v", err)
	} else if held := new(HeldError); !errors.As(err, &held) || string(held.Held.Value) != "1" || held.Held.Revision != first {
		t.Errorf("create of what exists shows %+v", held)
	}
	second, err := kv.Update(ctx, "op.a", []byte("2"), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Update(ctx, "op.a", []byte("x"), first); !errors.Is(err, ErrConflict) {
		t.Errorf("update of an old revision: %v", err)
	}
	e, err := kv.Get(ctx, "op.a")
	if err != nil || e.Key != "op.a" || string(e.Value) != "2" || e.Revision != second || e.Created.IsZero() {
		t.Errorf("got %+v, error %v", e, err)
	}
	if err := kv.Delete(ctx, "op.a", first); !errors.Is(err, ErrConflict) {
		t.Errorf("delete of an old revision: %v", err)
	}
	if err := kv.Delete(ctx, "op.a", second); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Get(ctx, "op.a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("get of what was deleted: %v", err)
	}
	if _, err := kv.Create(ctx, "op.a", []byte("3")); err != nil {
		t.Errorf("create over a removal: %v", err)
	}
	if _, err := kv.Create(ctx, "op.*", nil); !errors.Is(err, errKey) {
		t.Errorf("create of a pattern: %v", err)
	}

}

func TestBucketReadsByOtherClients(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	if _, err := c.Ledger().Create(testContext(t), "op.a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	kv, err := c.js.KeyValue(testContext(t), "sluice_ledger")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := kv.Get(testContext(t), "op.a"); err != nil || string(e.Value()) != "1" {
		t.Errorf("the client library reads %v, error %v", e, err)
	}
	if err := kv.Delete(testContext(t), "op.a"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ledger().Get(testContext(t), "op.a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a removal by the client library reads as %v", err)
	}
}

func TestLeaseExpiresAndCanBeTakenAgain(t *testing.T) {
	t.Parallel()
	o := testOptions(testServer(t, ServerOptions{}))
	o.LeaseTTL = time.Second
	c := testConnect(t, o)
	mustSetup(t, c)
	ctx := testContext(t)
	first, err := c.Leases().Create(ctx, "account.volcengine.prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the lease expires", func() bool {
		_, err := c.Leases().Get(ctx, "account.volcengine.prod")
		return errors.Is(err, ErrNotFound)
	})
	if _, err := c.Leases().Update(ctx, "account.volcengine.prod", nil, first); !errors.Is(err, ErrConflict) {
		t.Errorf("renewal of an expired lease: %v", err)
	}
	if _, err := c.Leases().Create(ctx, "account.volcengine.prod", nil); err != nil {
		t.Error(err)
	}
}

// next reads one entry of a watch.
func next(t *testing.T, watch <-chan Entry) Entry {
	t.Helper()
	select {
	case e, open := <-watch:
		if !open {
			t.Fatal("the watch ended")
		}
		return e
	case <-time.After(patience):
		t.Fatal("the watch brought nothing")
	}
	return Entry{}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	ctx, cancel := context.WithCancel(testContext(t))
	kv := c.Ledger()
	a, err := kv.Create(ctx, "op.a", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := kv.Create(ctx, "op.gone", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(ctx, "op.gone", gone); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Create(ctx, "other.b", nil); err != nil {
		t.Fatal(err)
	}
	watch, err := kv.Watch(ctx, "op.>")
	if err != nil {
		t.Fatal(err)
	}
	if e := next(t, watch); e.Key != "op.a" || e.Revision != a || string(e.Value) != "1" || e.Deleted {
		t.Errorf("first present value %+v", e)
	}
	if e := next(t, watch); e.Key != "" {
		t.Errorf("got %+v, want the end of the present values", e)
	}
	revision, err := kv.Update(ctx, "op.a", []byte("2"), a)
	if err != nil {
		t.Fatal(err)
	}
	if e := next(t, watch); e.Revision != revision || string(e.Value) != "2" {
		t.Errorf("change %+v", e)
	}
	if err := kv.Delete(ctx, "op.a", revision); err != nil {
		t.Fatal(err)
	}
	if e := next(t, watch); e.Key != "op.a" || !e.Deleted {
		t.Errorf("removal %+v", e)
	}
	cancel()
	eventually(t, "the channel is closed", func() bool { _, open := <-watch; return !open })
}

func TestWatchOfNothing(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	watch, err := c.Ledger().Watch(testContext(t), "op.*")
	if err != nil {
		t.Fatal(err)
	}
	if e := next(t, watch); e.Key != "" {
		t.Errorf("got %+v, want the end of the present values", e)
	}
}

func TestValidKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"op.a": true, "a": true, "A-/_=9.z": true, "account.volcengine.prod": true,
		"": false, ".": false, ".a": false, "a.": false, "a..b": false, "op.*": false, "op.>": false, "a b": false, "ä": false, "a\n": false,
	} {
		if got := validKey(key); got != want {
			t.Errorf("validKey(%q) = %t", key, got)
		}
	}
}
