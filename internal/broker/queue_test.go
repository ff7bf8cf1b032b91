package broker

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestFetchInOrder(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	before := time.Now()
	m := Outgoing{Subject: laneSubject("restart", "normal"), ID: "x", Header: Header{"ce-id": {"a"}}, Data: []byte("0")}
	if err := c.Publish(testContext(t), m); err != nil {
		t.Fatal(err)
	}
	send(t, c, 3)
	got := fetch(t, q, 4)
	if want := []string{"0", "1", "2", "3"}; !slices.Equal(payloads(got), want) {
		t.Fatalf("got %v, want %v", payloads(got), want)
	}
	first := got[0]
	if first.Subject() != m.Subject || first.Header()["ce-id"][0] != "a" || first.Sequence() != 1 || first.Deliveries() != 1 {
		t.Errorf("got subject %s, headers %v, sequence %d, deliveries %d", first.Subject(), first.Header(), first.Sequence(), first.Deliveries())
	}
	if at := first.Received(); at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("received at %s", at)
	}
	if len(m.Header) != 1 {
		t.Errorf("publish changed the caller's headers: %v", m.Header)
	}
}

func TestPublishTwiceUnderOneID(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	m := Outgoing{Subject: laneSubject("restart", "normal"), ID: "same"}
	for range 2 {
		if err := c.Publish(testContext(t), m); err != nil {
			t.Fatal(err)
		}
	}
	waiting, err := c.Waiting(testContext(t))
	if err != nil || waiting[m.Subject] != 1 {
		t.Errorf("waiting %v, error %v; want one message", waiting, err)
	}
}

func TestAckRemovesFromTheStream(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	send(t, c, 2)
	got := fetch(t, q, 2)
	if n, err := out(t, q); err != nil || n != 2 {
		t.Fatalf("unacked %d, error %v; want 2", n, err)
	}
	if err := got[0].Ack(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := got[0].Ack(testContext(t)); err == nil {
		t.Error("a second acknowledgement of one delivery was taken")
	}
	waiting, err := c.Waiting(testContext(t))
	if err != nil || waiting[got[1].Subject()] != 1 {
		t.Errorf("waiting %v, error %v; want the one that was not acknowledged", waiting, err)
	}
	if n, err := out(t, q); err != nil || n != 1 {
		t.Errorf("unacked %d, error %v; want 1", n, err)
	}
}

func TestNakAndInProgress(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, 500*time.Millisecond)
	send(t, c, 1)
	m := fetch(t, q, 1)[0]
	if err := m.Nak(0); err != nil {
		t.Fatal(err)
	}
	m = fetch(t, q, 1)[0]
	if m.Deliveries() != 2 {
		t.Errorf("delivery %d after a nak, want 2", m.Deliveries())
	}
	// Well past the redelivery time, kept alive.
	for range 10 {
		if err := m.InProgress(); err != nil {
			t.Fatal(err)
		}
		if got, _ := q.Fetch(testContext(t), 1, 100*time.Millisecond); len(got) > 0 {
			t.Fatal("a message in progress was delivered again")
		}
	}
	if m = fetch(t, q, 1)[0]; m.Deliveries() != 3 {
		t.Errorf("delivery %d without heartbeats, want 3", m.Deliveries())
	}
	if err := m.Nak(time.Hour); err != nil {
		t.Fatal(err)
	}
	fetchNone(t, q)
}

// Whatever a cancelled Fetch asked for is handed out by the next one, once.
func TestCancelledFetchLosesNothing(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan int)
	go func() {
		got, _ := q.Fetch(ctx, 5, patience)
		done <- len(got)
	}()
	eventually(t, "the request is open", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.owed == 5 })
	cancel()
	if n := <-done; n != 0 {
		t.Fatalf("an empty lane gave %d messages", n)
	}
	send(t, c, 8)
	eventually(t, "the open request is filled", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return len(q.buffer) == 5 })
	if n, err := out(t, q); err != nil || n != 5 {
		t.Fatalf("%d messages are out, error %v; want the 5 asked for", n, err)
	}
	want := []string{"1", "2", "3", "4", "5", "6", "7", "8"}
	if got := payloads(fetch(t, q, 8)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	fetchNone(t, q)
}

func TestFetchDoesNotWaitForAFullBatch(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	send(t, c, 1)
	ctx := testContext(t)
	got, err := q.Fetch(ctx, 100, time.Hour)
	if err != nil || len(got) != 1 || ctx.Err() != nil {
		t.Errorf("got %d messages, error %v", len(got), err)
	}
}

// Of two that wait, one may have asked for a single message, which the other relies on.
func TestFetchesAskForEachOther(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	for round := range 10 {
		got := make(chan int)
		for range 2 {
			go func() {
				messages, _ := q.Fetch(testContext(t), 1, 5*time.Second)
				for _, m := range messages {
					_ = m.Ack(testContext(t))
				}
				got <- len(messages)
			}()
		}
		send(t, c, 1)
		first := <-got
		send(t, c, 1)
		if n := first + <-got; n != 2 {
			t.Fatalf("round %d: %d of 2 messages were fetched", round, n)
		}
	}
}

func TestReleaseGivesBack(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	if got, err := q.Fetch(testContext(t), 3, time.Millisecond); err != nil || len(got) > 0 {
		t.Fatal(got, err)
	}
	send(t, c, 1)
	eventually(t, "a message arrives", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return len(q.buffer) == 1 })
	q.Release()
	send(t, c, 1) // arrives on the open request, and goes back too
	other := testConnect(t, c.opts)
	got := fetch(t, testLane(t, other, time.Minute), 2)
	for _, m := range got {
		if err := m.Ack(testContext(t)); err != nil {
			t.Error(err)
		}
	}
	send(t, c, 1)
	again := testLane(t, c, time.Minute)
	if again != q {
		t.Error("the same lane gave another queue")
	}
}

func TestStaleMessagesAreNotHandedOut(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, 400*time.Millisecond)
	if got, err := q.Fetch(testContext(t), 1, time.Millisecond); err != nil || len(got) > 0 {
		t.Fatal(got, err)
	}
	send(t, c, 1)
	eventually(t, "a message grows stale", func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.buffer) == 1 && time.Since(q.buffer[0].arrived) > 400*time.Millisecond
	})
	if m := fetch(t, q, 1)[0]; m.Deliveries() != 2 {
		t.Errorf("delivery %d was handed out, want the redelivery", m.Deliveries())
	}
}

func TestResetDeliversEverythingAgainInOrder(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	old := testLane(t, c, time.Hour)
	send(t, c, 5)
	for _, m := range fetch(t, old, 4)[1:2] {
		if err := m.Ack(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := old.Fetch(testContext(t), 1, patience); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	fetchNone(t, old) // leaves a request open, which must not take messages from the new owner

	q := testLane(t, testConnect(t, c.opts), time.Hour)
	if err := q.Reset(testContext(t)); err != nil {
		t.Fatal(err)
	}
	want := []string{"1", "3", "4", "5"}
	if got := payloads(fetch(t, q, 4)); !slices.Equal(got, want) {
		t.Errorf("after the reset got %v, want %v", got, want)
	}
}

// What was delivered before is no first delivery, whichever consumer did it and whoever
// counts; what was not is one.
func TestFirstDelivery(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	firsts := func(q *LaneQueue, n int) (out []bool) {
		for _, m := range fetch(t, q, n) {
			out = append(out, m.First())
			if err := m.Nak(0); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	old := testLane(t, c, time.Hour)
	send(t, c, 2)
	if got := firsts(old, 2); !slices.Equal(got, []bool{true, true}) {
		t.Errorf("at first: %v", got)
	}
	if got := firsts(old, 2); !slices.Equal(got, []bool{false, false}) {
		t.Errorf("given back: %v", got)
	}
	q := testLane(t, testConnect(t, c.opts), time.Hour)
	if err := q.Reset(testContext(t)); err != nil {
		t.Fatal(err)
	}
	send(t, c, 1)
	if got := firsts(q, 3); !slices.Equal(got, []bool{false, false, true}) {
		t.Errorf("after a reset: %v", got)
	}
	third := testLane(t, testConnect(t, c.opts), time.Hour)
	send(t, c, 1)
	if got := firsts(third, 4); !slices.Equal(got, []bool{false, false, false, true}) {
		t.Errorf("for another owner: %v", got)
	}
	if err := c.js.DeleteConsumer(testContext(t), c.names.commands, third.durable); err != nil {
		t.Fatal(err)
	}
	if got := firsts(third, 4); !slices.Equal(got, make([]bool, 4)) {
		t.Errorf("after the consumer was deleted: %v", got)
	}
}

func TestDeletedConsumerIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{true, false} {
		c := setUp(t)
		q := testLane(t, c, time.Minute)
		if open { // the server tells who waits; the others find nobody there
			fetchNone(t, q)
		}
		if err := c.js.DeleteConsumer(testContext(t), c.names.commands, q.durable); err != nil {
			t.Fatal(err)
		}
		send(t, c, 1)
		fetch(t, q, 1)
	}
}

func TestFetchSaysWhyItCannotPull(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	if err := c.js.DeleteStream(testContext(t), c.names.commands); err != nil {
		t.Fatal(err)
	}
	_, err := q.Fetch(testContext(t), 1, 500*time.Millisecond)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("got %v, want that there is no stream", err)
	}
}

func TestIntakeIsShared(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	a, err := c.IntakeQueue(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := testConnect(t, c.opts).IntakeQueue(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Publish(testContext(t), Outgoing{Subject: "sluice.intake"}); err != nil {
			t.Fatal(err)
		}
	}
	if x, y := fetch(t, a, 1)[0], fetch(t, b, 1)[0]; x.Sequence() == y.Sequence() {
		t.Error("both replicas got the same message")
	}
}

func TestLanesDoNotMix(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	urgent, err := c.Lane(testContext(t), LaneSpec{Subject: laneSubject("restart", "urgent"), AckWait: time.Minute, MaxPending: 1})
	if err != nil {
		t.Fatal(err)
	}
	send(t, c, 1)
	for range 2 {
		if err := c.Publish(testContext(t), Outgoing{Subject: laneSubject("restart", "urgent"), Data: []byte("u")}); err != nil {
			t.Fatal(err)
		}
	}
	if got := payloads(fetch(t, q, 1)); got[0] != "1" {
		t.Errorf("the normal lane got %v", got)
	}
	if got := payloads(fetch(t, urgent, 1)); got[0] != "u" {
		t.Errorf("the urgent lane got %v", got)
	}
	fetchNone(t, urgent) // MaxPending is reached
	spec := LaneSpec{Name: "volcengine.prod.cn-beijing.restart.normal", Subject: laneSubject("flush", "normal")}
	if _, err := c.Lane(testContext(t), spec); err == nil {
		t.Error("another subject took over the consumer of a lane")
	}
}

func TestDurableName(t *testing.T) {
	t.Parallel()
	long := "volcengine." + string(make([]byte, 200))
	tests := []struct {
		lane, want string
	}{
		{"volcengine.prod.cn-beijing.restart.normal", "volcengine_prod_cn-beijing_restart_normal"},
		{"intake", "intake"},
	}
	for _, tt := range tests {
		if got := durableName(tt.lane); got != tt.want {
			t.Errorf("durableName(%q) = %q, want %q", tt.lane, got, tt.want)
		}
	}
	if a, b := durableName("x y"), durableName("x-y"); a == b {
		t.Errorf("two lanes share the name %s", a)
	}
	if got := durableName(long); len(got) != maxDurable {
		t.Errorf("a long lane has a name of %d characters", len(got))
	}
}
