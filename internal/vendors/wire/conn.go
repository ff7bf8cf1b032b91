package wire

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// errSealed stops a write of a request that has already been reported as not
// sent.
var errSealed = errors.New("request was given up before its first byte")

// latch remembers whether a request may have left. It goes one way only, from
// untouched to sent or to sealed, so that "not sent" stays true once it was said.
type latch struct {
	state  atomic.Int32
	flight vendors.Flight // is told when bytes have left; nil for nobody
}

const (
	untouched int32 = iota
	sent
	sealed
)

// leave asks to let a byte go, and records that one did.
func (l *latch) leave() bool {
	return l.state.CompareAndSwap(untouched, sent) || l.state.Load() == sent
}

// seal reports whether nothing left, and then keeps it so.
func (l *latch) seal() bool {
	return l.state.CompareAndSwap(untouched, sealed) || l.state.Load() == sealed
}

// left tells that bytes have left by now.
func (l *latch) left() {
	if l.flight != nil {
		l.flight.Left(time.Now())
	}
}

// countedConn notes whether anything was written since it was handed to a
// request. Under TLS it sits below the encryption, so that it errs towards
// "something left".
type countedConn struct {
	net.Conn
	latch atomic.Pointer[latch]
}

// watch makes the next write mark l.
func (c *countedConn) watch(l *latch) { c.latch.Store(l) }

// Write marks the watching request before the bytes go: a failed write may have
// sent some of them.
func (c *countedConn) Write(p []byte) (int, error) {
	l := c.latch.Load()
	if l != nil && !l.leave() {
		return 0, errSealed
	}
	n, err := c.Conn.Write(p)
	if l != nil {
		l.left()
	}
	return n, err
}

// counted finds our connection, below TLS if need be.
func counted(c net.Conn) *countedConn {
	for {
		switch v := c.(type) {
		case *countedConn:
			return v
		case interface{ NetConn() net.Conn }:
			c = v.NetConn()
		default:
			return nil
		}
	}
}
