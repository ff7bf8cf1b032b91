package broker

import (
	"net"
	"runtime"
	"sync"
	"time"
)

const (
	// writeTimeout is how long the server may take nothing of what is written.
	writeTimeout = 5 * time.Second
	// closeTimeout is how long it may do so once the connection is being closed.
	closeTimeout = 250 * time.Millisecond
	// silence is after how long without a write the next is taken for a lone one.
	silence = 200 * time.Microsecond
	// mostGathered is how many bytes may wait for the socket before writers wait too;
	// a larger buffer than keptBuffer is not used again.
	mostGathered = 1 << 20
	keptBuffer   = 256 << 10
)

// gatheredConn is a connection to the server whose writes go out together. The client
// library hands over as little as one message at a time, and under load a system call for
// each costs as much as making the message, here and at the server, which reads as it is
// written to. So whoever writes leaves its bytes, and one goroutine sends all there are
// after everybody who is ready to run has had its chance to add some. What is written
// after a silence goes out at once: there the time counts.
//
// It has that goroutine only while there is something to send: the library forgets some
// connections without closing them.
type gatheredConn struct {
	net.Conn

	mu      sync.Mutex
	changed *sync.Cond
	waiting []byte    // not taken by the goroutine yet
	spare   []byte    // a buffer to be used again
	sending bool      // somebody sends
	sent    time.Time // when the latest was sent
	closed  bool
	err     error // of the write that failed; there is none after it
}

// gathered wraps a connection that was just made.
func gathered(conn net.Conn) *gatheredConn {
	g := &gatheredConn{Conn: conn}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// Write leaves the bytes to be sent. It waits only while too many are left, and
// returns the error of an earlier write.
func (g *gatheredConn) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) > mostGathered && g.err == nil && !g.closed {
		g.changed.Wait()
	}
	switch {
	case g.err != nil:
		return 0, g.err
	case g.closed:
		return 0, net.ErrClosed
	}
	if !g.sending && time.Since(g.sent) > silence {
		return g.sendNow(p)
	}
	g.waiting = append(g.waiting, p...)
	if !g.sending {
		g.sending = true
		go g.run()
	}
	return len(p), nil
}

// sendNow sends without waiting for others. The caller holds the lock, and has it again
// afterwards.
func (g *gatheredConn) sendNow(p []byte) (n int, err error) {
	g.sending = true
	g.mu.Unlock()
	err = g.send(p)
	if err != nil {
		g.fail(err)
	} else {
		n = len(p)
	}
	g.mu.Lock()
	if g.sending = len(g.waiting) > 0; g.sending { // left there meanwhile
		go g.run()
	}
	g.sent = time.Now()
	g.changed.Broadcast()
	return n, err
}

// run sends until nothing is left, or a write fails.
func (g *gatheredConn) run() {
	for {
		runtime.Gosched()
		out := g.take()
		if out == nil {
			return
		}
		if err := g.send(out); err != nil {
			g.fail(err)
			return
		}
		g.reuse(out)
	}
}

// take takes what there is to send; nil is the end.
func (g *gatheredConn) take() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.changed.Broadcast()
	if len(g.waiting) == 0 {
		g.sending, g.sent = false, time.Now()
		return nil
	}
	out := g.waiting
	g.waiting, g.spare = g.spare[:0], nil
	return out
}

// reuse keeps a buffer for what will be left.
func (g *gatheredConn) reuse(out []byte) {
	if cap(out) > keptBuffer {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spare = out
}

func (g *gatheredConn) send(out []byte) error {
	g.mu.Lock()
	err := g.limit()
	g.mu.Unlock()
	if err == nil {
		_, err = g.Conn.Write(out)
	}
	return err
}

// limit sets for how long from now the server may take nothing. The caller holds the
// lock.
func (g *gatheredConn) limit() error {
	if g.closed {
		return g.Conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	}
	return g.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
}

// fail ends the connection: what is left may have been cut in the middle.
func (g *gatheredConn) fail(err error) {
	g.mu.Lock()
	g.err, g.waiting, g.sending = err, nil, false
	g.changed.Broadcast()
	g.mu.Unlock()
	_ = g.Conn.Close() // its reader learns of it
}

// Close sends what is left, if the server takes it soon, and closes the connection.
func (g *gatheredConn) Close() error {
	g.mu.Lock()
	g.closed = true
	g.changed.Broadcast()
	_ = g.limit() // if it fails, so does the write
	for g.sending {
		g.changed.Wait()
	}
	g.mu.Unlock()
	return g.Conn.Close()
}

// SetWriteDeadline does nothing: the caller's write is over before the bytes are sent.
func (g *gatheredConn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets that of reading.
func (g *gatheredConn) SetDeadline(t time.Time) error { return g.SetReadDeadline(t) }

// gatheringDialer dials the server.
type gatheringDialer struct{ net.Dialer }

// Dial is nats.CustomDialer's.
func (d gatheringDialer) Dial(network, address string) (net.Conn, error) {
	conn, err := d.Dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return gathered(conn), nil
}
