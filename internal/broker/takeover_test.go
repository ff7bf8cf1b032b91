package broker

import (
	"testing"
	"time"
)

// Whoever takes a lane over is told of every message that may have been out at
// any time, also after an owner that died in the middle of taking over.
func TestUnackedCountsWhatMayHaveBeenOut(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q, err := c.Lane(testContext(t), LaneSpec{Subject: laneSubject("restart", "normal"), AckWait: time.Minute, MaxPending: 4})
	if err != nil {
		t.Fatal(err)
	}
	want := func(n int) {
		t.Helper()
		if got, err := q.Unacked(testContext(t)); err != nil || got != n {
			t.Errorf("%d may be out, error %v; want %d", got, err, n)
		}
	}
	want(0)
	send(t, c, 6)
	fetch(t, q, 3)
	want(4)
	if err := q.Reset(testContext(t)); err != nil {
		t.Fatal(err)
	}
	first := fetch(t, q, 1) // and no more, as if the owner died
	want(4)
	if n, err := q.Undelivered(testContext(t)); err != nil || n != 5 {
		t.Errorf("%d undelivered, error %v", n, err)
	}
	if err := first[0].Ack(testContext(t)); err != nil {
		t.Fatal(err)
	}
	for _, m := range fetch(t, q, 4) {
		if err := m.Ack(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	want(1)
}

// A consumer that was deleted and not made again is made again by whoever asks.
func TestLaneOutlivesItsConsumer(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	q := testLane(t, c, time.Minute)
	send(t, c, 2)
	fetch(t, q, 1)
	if err := c.js.DeleteConsumer(testContext(t), c.names.commands, q.durable); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Unacked(testContext(t)); err != nil || n != 2 {
		t.Errorf("%d may be out, error %v; want both", n, err)
	}
	if got := fetch(t, q, 2); len(got) != 2 {
		t.Errorf("got %v", payloads(got))
	}
}
