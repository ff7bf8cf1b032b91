// Package freeport finds addresses for programs that tests start. A program that a
// test restarts, or whose address another one is told beforehand, cannot be given
// port 0; and a port that the kernel gave out for a moment may be given out again,
// to any connection of the machine, before the program listens on it.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

// The ports looked through: above those that well-known servers like to have, and
// below those that the kernel gives to outgoing connections and to port 0, so that
// between finding a port and listening on it only a program that wants that very
// port can take it.
const (
	first = 15000
	last  = 32000
)

// tries is how many ports are tried before the search gives up.
const tries = 200

// given are the ports this process gave out: none is given twice, though nobody
// may listen on it yet.
var given sync.Map

// find returns a port of the loopback interface on which nobody listens.
func find() (int, error) {
	lo, hi, err := bounds("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, err
	}
	for range tries {
		port := lo + rand.IntN(hi-lo)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		if free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("free port: none found in %d tries from %d to %d; too many programs listen on this machine", tries, lo, hi)
}

// bounds are the ports to look through: first to last without those of outgoing
// connections, which start elsewhere on some machines.
func bounds(file string) (lo, hi int, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return first, last, nil //nolint:nilerr // not Linux: outgoing connections start at 49152 there
	}
	var start, end int
	if _, err := fmt.Sscan(string(text), &start, &end); err != nil {
		return 0, 0, fmt.Errorf("free port: %s: %w", file, err)
	}
	switch {
	case end < first || start > last:
		return first, last, nil
	case start-first >= tries:
		return first, start, nil
	case last-end >= tries:
		return end + 1, last, nil
	default:
		return first, last, nil // outgoing connections may take any port: nothing is safe
	}
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func free(port int) bool {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// TB is what this package needs of a test.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// Port returns a port of the loopback interface on which nobody listens.
func Port(tb TB) int {
	tb.Helper()
	port, err := find()
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

// Address is a Port with its host: "127.0.0.1:PORT".
func Address(tb TB) string {
	tb.Helper()
	return address(Port(tb))
}
