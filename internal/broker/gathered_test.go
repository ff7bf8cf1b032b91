package broker

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// slowConn takes one write at a time, each when it is let, and keeps them.
type slowConn struct {
	net.Conn
	began chan struct{} // told as a write begins
	let   chan error    // what a write comes to; closed: all go well
	mu    sync.Mutex
	got   [][]byte
	ended chan struct{}
	once  sync.Once
}

func newSlowConn() *slowConn {
	return &slowConn{began: make(chan struct{}, 100), let: make(chan error), ended: make(chan struct{})}
}

func (c *slowConn) Write(p []byte) (int, error) {
	c.began <- struct{}{}
	select {
	case err := <-c.let:
		if err != nil {
			return len(p) / 2, err
		}
	case <-c.ended:
		return 0, net.ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, bytes.Clone(p))
	return len(p), nil
}

func (c *slowConn) Close() error {
	c.once.Do(func() { close(c.ended) })
	return nil
}

func (c *slowConn) SetWriteDeadline(time.Time) error { return nil }

// begin has a write begin, and returns what waits for its end.
func (c *slowConn) begin(g *gatheredConn, s string) (end func() error) {
	ended := make(chan error)
	go func() {
		_, err := g.Write([]byte(s)) // sent by whoever writes it
		ended <- err
	}()
	<-c.began
	return func() error { return <-ended }
}

// What is written while the socket is busy goes out in one piece, in order.
func TestWritesGoOutTogether(t *testing.T) {
	t.Parallel()
	slow := newSlowConn()
	g := gathered(slow)
	var want []byte
	write := func(s string) {
		want = append(want, s...)
		if n, err := g.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("write %q: %d, %v", s, n, err)
		}
	}
	first := slow.begin(g, "first ")
	want = append(want, "first "...)
	for i := range 50 {
		write(fmt.Sprint(i, " "))
	}
	close(slow.let)
	if err := first(); err != nil {
		t.Error(err)
	}
	if err := g.Close(); err != nil { // waits for the rest
		t.Fatal(err)
	}
	if got := bytes.Join(slow.got, nil); !bytes.Equal(got, want) || len(slow.got) != 2 {
		t.Errorf("%d writes of %q, want 2 of %q", len(slow.got), got, want)
	}
	if _, err := g.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after the end: %v", err)
	}
}

// After a write that failed nothing more is sent, and the connection is closed, so that
// its reader learns of it.
func TestFailedWriteEndsTheConnection(t *testing.T) {
	t.Parallel()
	slow := newSlowConn()
	g := gathered(slow)
	broken := errors.New("broken pipe")
	first := slow.begin(g, "half of this")
	_, _ = g.Write([]byte("and none of this"))
	slow.let <- broken
	<-slow.ended
	if err := first(); !errors.Is(err, broken) {
		t.Errorf("a write that fails: %v", err)
	}
	if _, err := g.Write([]byte("nor this")); !errors.Is(err, broken) {
		t.Errorf("write after a failed one: %v", err)
	}
	if err := g.Close(); err != nil || len(slow.got) != 0 {
		t.Errorf("close: %v; sent after the failure: %q", err, slow.got)
	}
}

// The same where the bytes were left for the goroutine.
func TestFailedWriteOfTheRest(t *testing.T) {
	t.Parallel()
	slow := newSlowConn()
	g := gathered(slow)
	broken := errors.New("broken pipe")
	first := slow.begin(g, "sent")
	if _, err := g.Write([]byte("left")); err != nil {
		t.Fatal(err)
	}
	slow.let <- nil
	if err := first(); err != nil {
		t.Error(err)
	}
	<-slow.began
	slow.let <- broken
	<-slow.ended
	if _, err := g.Write([]byte("late")); !errors.Is(err, broken) {
		t.Errorf("write after a failed one: %v", err)
	}
	_ = g.Close()
}

// A peer that takes nothing bounds what is left for it, and cannot hold up the close.
func TestPeerThatTakesNothing(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	defer there.Close()
	g := gathered(here)
	full := make(chan error, 2)
	for range 2 { // one sends, one leaves
		go func() {
			var err error
			for err == nil {
				_, err = g.Write(make([]byte, mostGathered/4))
			}
			full <- err
		}()
	}
	for {
		g.mu.Lock()
		much := len(g.waiting) > mostGathered
		g.mu.Unlock()
		if much {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if g.mu.Lock(); len(g.waiting) > 2*mostGathered {
		t.Errorf("%d bytes wait for the socket", len(g.waiting))
	}
	g.mu.Unlock()
	_ = g.Close()
	<-full
	<-full
}
