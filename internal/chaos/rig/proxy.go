package rig

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between one client and its server, so that this one connection can
// be broken while everybody else keeps theirs.
type Proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	healed  chan struct{} // closed while bytes flow
	cut     bool
	pairs   map[*pair]struct{}
	counts  ProxyCounts
	closing bool
	running sync.WaitGroup
}

// ProxyCounts says what a proxy has done.
type ProxyCounts struct {
	// Accepted connections, those that were Refused during a cut, and those
	// that a cut has Reset.
	Accepted, Refused, Reset int
}

// pair is one connection and its counterpart at the server.
type pair struct{ client, server *net.TCPConn }

// StartProxy listens on a free port of the loopback interface and passes
// everything on to target.
func StartProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: l, target: target, healed: make(chan struct{}), pairs: map[*pair]struct{}{}}
	close(p.healed)
	p.running.Go(p.accept)
	tb.Cleanup(p.close)
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Counts is what happened so far.
func (p *Proxy) Counts() ProxyCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Cut resets every connection and refuses new ones until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for one := range p.pairs {
		p.counts.Reset++
		one.reset()
	}
	p.open()
}

// Stall holds back every byte until Heal and resets nothing: to both sides the
// other one seems to have fallen silent. New connections stay silent too.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flowing() {
		p.healed = make(chan struct{})
	}
}

// Heal ends a cut or a stall; what a stall held back is delivered.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	p.open()
}

// open lets bytes flow. The caller holds the lock.
func (p *Proxy) open() {
	if !p.flowing() {
		close(p.healed)
	}
}

// flowing reports whether bytes flow. The caller holds the lock.
func (p *Proxy) flowing() bool {
	select {
	case <-p.healed:
		return true
	default:
		return false
	}
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		if err := p.join(c.(*net.TCPConn)); err != nil {
			(&pair{client: c.(*net.TCPConn)}).reset()
		}
	}
}

// join connects a client to the server, unless the line is cut.
func (p *Proxy) join(client *net.TCPConn) error {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return err
	}
	one := &pair{client: client, server: server.(*net.TCPConn)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut || p.closing {
		p.counts.Refused++
		_ = one.server.Close()
		return fmt.Errorf("the line to %s is cut", p.target)
	}
	p.counts.Accepted++
	p.pairs[one] = struct{}{}
	p.running.Go(func() { p.pass(one, one.server, one.client) })
	p.running.Go(func() { p.pass(one, one.client, one.server) })
	return nil
}

// pass copies one direction; what it has read when the line stalls waits.
func (p *Proxy) pass(one *pair, to, from *net.TCPConn) {
	defer p.part(one)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.wait()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = to.CloseWrite()
			}
			return
		}
	}
}

// wait returns once bytes may flow.
func (p *Proxy) wait() {
	p.mu.Lock()
	healed := p.healed
	p.mu.Unlock()
	<-healed
}

// part ends a connection of which one direction has ended.
func (p *Proxy) part(one *pair) {
	p.mu.Lock()
	delete(p.pairs, one)
	p.mu.Unlock()
	_ = one.client.Close()
	_ = one.server.Close()
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.listener.Close()
	p.Cut()
	p.running.Wait()
}

// reset closes both ends with a reset, as a broken line does, not with a farewell.
func (one *pair) reset() {
	for _, c := range []*net.TCPConn{one.client, one.server} {
		if c != nil {
			_ = c.SetLinger(0)
			_ = c.Close()
		}
	}
}
