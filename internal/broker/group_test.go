package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// groupWrites makes a group send batches, whatever its meter would find.
func groupWrites(t testing.TB, c *Conn, stream string) *group {
	t.Helper()
	g := c.groups[stream]
	if !g.takes.Load() {
		t.Fatalf("stream %s takes no batches", stream)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.meter.turn(time.Now(), true)
	return g
}

// gather holds everything back until so many writes wait, and lets them go together.
func gather(t testing.TB, g *group, writes int) {
	t.Helper()
	g.mu.Lock()
	g.batches = maxBatches
	g.mu.Unlock()
	go func() {
		g.mu.Lock()
		for len(g.queue)+len(g.late) < writes && t.Context().Err() == nil {
			g.mu.Unlock()
			time.Sleep(time.Millisecond)
			g.mu.Lock()
		}
		g.batches = 0
		next := g.next()
		g.mu.Unlock()
		next.send()
	}()
}

// inBatches counts the stored messages of a stream that came in a batch, and all that
// were ever stored.
func inBatches(t testing.TB, c *Conn, stream string) (batched int, last uint64) {
	t.Helper()
	s, err := c.js.Stream(testContext(t), stream)
	if err != nil {
		t.Fatal(err)
	}
	state := s.CachedInfo().State
	for seq := state.FirstSeq; seq <= state.LastSeq; seq++ {
		m, err := c.get(testContext(t), stream, getRequest{Sequence: seq})
		if err == nil && nats.Header(m.header).Get(headerBatch) != "" {
			batched++
		}
	}
	return batched, state.LastSeq
}

// Many keys at once, each created by two and updated by a third with a wrong
// revision: everyone is told the truth, and what was told is what is stored.
func TestGroupedWritesTellTheTruth(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	g := groupWrites(t, c, "KV_sluice_ledger")
	ctx := testContext(t)
	const keys = 300
	var wait sync.WaitGroup
	var stored atomic.Int64
	final := make([]uint64, keys)
	for i := range keys {
		key := fmt.Sprintf("op.%d", i)
		var winners atomic.Int32
		for range 2 {
			wait.Go(func() {
				revision, err := c.Ledger().Create(ctx, key, []byte("0"))
				if errors.Is(err, ErrConflict) {
					return
				}
				if err != nil || winners.Add(1) > 1 {
					t.Errorf("create %s: %v, winner %d", key, err, winners.Load())
					return
				}
				stored.Add(1)
				wrong := revision + 1_000_000
				wait.Go(func() {
					if _, err := c.Ledger().Update(ctx, key, []byte("wrong"), wrong); i%10 == 0 && !errors.Is(err, ErrConflict) {
						t.Errorf("update %s with a wrong revision: %v", key, err)
					}
				})
				for step := 1; step <= 3; step++ {
					if revision, err = c.Ledger().Update(ctx, key, fmt.Append(nil, step), revision); err != nil {
						t.Errorf("update %s: %v", key, err)
						return
					}
					stored.Add(1)
				}
				final[i] = revision
			})
		}
	}
	wait.Wait()
	for i, revision := range final {
		e, err := c.Ledger().Get(ctx, fmt.Sprintf("op.%d", i))
		if err != nil || e.Revision != revision || string(e.Value) != "3" {
			t.Fatalf("key %d is %q at %d, was told %d; error %v", i, e.Value, e.Revision, revision, err)
		}
	}
	batched, last := inBatches(t, c, g.stream)
	if last != uint64(stored.Load()) {
		t.Errorf("%d messages were stored, %d were told", last, stored.Load())
	}
	if batched == 0 {
		t.Error("nothing went in a batch")
	}
}

func TestGroupedResultsAreDeduplicated(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	gather(t, groupWrites(t, c, c.names.results), 400)
	ctx := testContext(t)
	publish := func(id int) {
		m := Outgoing{Subject: "sluice.results.volcengine.prod.succeeded", ID: fmt.Sprint(id)}
		if err := c.Publish(ctx, m); err != nil {
			t.Error(err)
		}
	}
	for id := range 2 { // known to the stream alone, not to the group
		m := &nats.Msg{Subject: "sluice.results.volcengine.prod.succeeded", Header: nats.Header{jetstream.MsgIDHeader: {fmt.Sprint(id * 7)}}}
		if _, err := c.js.PublishMsg(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	const ids = 200
	for i := range 2 * ids {
		wait.Go(func() { publish(i % ids) })
	}
	wait.Wait()
	batched, last := inBatches(t, c, c.names.results)
	if last != ids || batched == 0 {
		t.Errorf("%d results are stored, %d of them in batches; want %d, some of them in batches", last, batched, ids)
	}
}

func TestStreamThatRefusesBatches(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	g := groupWrites(t, c, "KV_sluice_ledger")
	gather(t, g, 200)
	stream, err := c.js.Stream(testContext(t), g.stream)
	if err != nil {
		t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	cfg.AllowAtomicPublish = false
	if _, err := c.js.UpdateStream(testContext(t), cfg); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 200 {
		wait.Go(func() {
			if _, err := c.Ledger().Create(testContext(t), fmt.Sprintf("op.%d", i), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if g.takes.Load() {
		t.Error("batches go on being tried")
	}
}

func TestSetupAllowsBatches(t *testing.T) {
	t.Parallel()
	c := testConnect(t, testOptions(testServer(t, ServerOptions{})))
	for _, cfg := range c.streamConfigs(0) {
		cfg.AllowAtomicPublish = false
		if _, err := c.js.CreateStream(testContext(t), cfg); err != nil {
			t.Fatal(err)
		}
	}
	mustSetup(t, c)
	for _, name := range c.names.streams() {
		s, err := c.js.Stream(testContext(t), name)
		if err != nil {
			t.Fatal(err)
		}
		want := name == c.names.results || name == bucketStream(c.names.ledger)
		if got := s.CachedInfo().Config.AllowAtomicPublish; got != want {
			t.Errorf("stream %s allows batches: %t", name, got)
		}
		if g := c.groups[name]; want && !g.takes.Load() {
			t.Errorf("batches for stream %s are not used", name)
		}
	}
}

// The server is killed while writes are on their way: all end, and what was told to be
// stored is found when it is back.
func TestServerDiesDuringGroupedWrites(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "2m")
	c := p.connect(t)
	groupWrites(t, c, "KV_sluice_ledger")
	var told sync.Map // key to revision
	var count atomic.Int64
	var wait sync.WaitGroup
	for i := range 200 {
		wait.Go(func() {
			for step := 0; ; step++ {
				key := fmt.Sprintf("op.%d-%d", i, step)
				revision, err := c.Ledger().Create(context.Background(), key, nil)
				if err != nil {
					if errors.Is(err, ErrConflict) || errors.Is(err, ErrFull) || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("create %s: %v, want at once that the outcome is unknown", key, err)
					}
					return
				}
				told.Store(key, revision)
				count.Add(1)
			}
		})
	}
	eventually(t, "writes are stored", func() bool { return count.Load() > 1000 })
	p.kill()
	wait.Wait()
	p.start(t)
	eventually(t, "the streams are back", func() bool { return c.Present(testContext(t)) == nil })
	told.Range(func(key, revision any) bool {
		e, err := c.Ledger().Get(testContext(t), key.(string))
		if err != nil || e.Revision != revision {
			t.Errorf("%s is at %d, was told %d; error %v", key, e.Revision, revision, err)
		}
		return true
	})
}

func waitingWrite(key string) *write { return &write{key: key, waiting: true, msg: &nats.Msg{}} }

func TestCollectKeepsKeysApart(t *testing.T) {
	t.Parallel()
	g := &group{}
	for i := range minBatch {
		g.queue = append(g.queue, waitingWrite(fmt.Sprint(i)))
	}
	withdrawn, second := waitingWrite("x"), waitingWrite("3")
	withdrawn.waiting = false
	g.queue = append(g.queue, withdrawn, second, waitingWrite(""), waitingWrite(""))
	b := g.collect()
	if len(b.members) != minBatch+2 || slices.Contains(b.members, second) || slices.Contains(b.members, withdrawn) {
		t.Errorf("the batch has %d members", len(b.members))
	}
	if len(g.queue) != 1 || g.queue[0] != second {
		t.Errorf("%d writes are left, want the second of its key", len(g.queue))
	}
	if g.collect() != nil {
		t.Error("one write made a batch")
	}
}

// A server that knows no batches stores the messages one by one: its answer must not
// count for all of them.
func TestAnswerThatIsNoBatch(t *testing.T) {
	t.Parallel()
	g := &group{stream: "S", meter: meter{batching: true}}
	g.takes.Store(true)
	b := &batch{group: g, id: "b", members: []*write{{done: make(chan outcome, 1)}, {done: make(chan outcome, 1)}}}
	b.answered(&nats.Msg{Data: []byte(`{"stream":"S","seq":7}`)}, nil)
	for _, w := range b.members {
		if got := <-w.done; !errors.Is(got.err, errNoBatch) {
			t.Errorf("a member was told %+v", got)
		}
	}
	if g.takes.Load() {
		t.Error("batches go on being tried")
	}
}
