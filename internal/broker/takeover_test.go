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
	want(4) // nobody knows what a consumer of this name delivered before
	fetch(t, q, 3)
	want(3)
	if err := q.Reset(testContext(t)); err != nil {
		t.Fatal(err)
	}
	first := fetch(t, q, 1) // and no more, as if the owner died
	want(4)
	if waiting, out, err := q.Now(testContext(t)); err != nil || waiting != 5 || out != 1 {
		t.Errorf("%d wait, %d are out, error %v; want 5 and 1", waiting, out, err)
	}
	if err := first[0].Ack(testContext(t)); err != nil {
		t.Fatal(err)
	}
	want(4)
	fetch(t, q, 2) // as far as the first owner had come
	want(2)
	if err := q.Reset(testContext(t)); err != nil {
		t.Fatal(err)
	}
	want(4)
	q = testLane2(t, c, 3) // another owner, with another limit
	want(3)
	for _, m := range fetch(t, q, 3) {
		if err := m.Ack(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	want(0)
}

// testLane2 takes the test lane up with another limit.
func testLane2(t testing.TB, c *Conn, most int) *LaneQueue {
	t.Helper()
	q, err := c.Lane(testContext(t), LaneSpec{Subject: laneSubject("restart", "normal"), AckWait: time.Minute, MaxPending: most})
	if err != nil {
		t.Fatal(err)
	}
	return q
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
	fetch(t, q, 1)
	// Also after the first delivery of the new one: both may be out.
	if n, err := q.Unacked(testContext(t)); err != nil || n != 2 {
		t.Errorf("%d may be out after one delivery, error %v; want both", n, err)
	}
	fetch(t, q, 1)
	send(t, c, 1)
	if n, err := q.Unacked(testContext(t)); err != nil || n != 2 {
		t.Errorf("%d may be out after both deliveries, error %v; want both and not the new one", n, err)
	}
}
