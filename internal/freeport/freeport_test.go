package freeport

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestAddress(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		addr := Address(t)
		if seen[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		seen[addr] = true
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		kernel string
		lo, hi int
	}{
		{"32768\t60999\n", first, last},
		{"20000\t60999\n", first, 20000},
		{"1024\t20000\n", 20001, last},
		{"1024\t65535\n", first, last},
		{"15010\t31990\n", first, last},
	} {
		file := filepath.Join(t.TempDir(), "range")
		if err := os.WriteFile(file, []byte(c.kernel), 0o600); err != nil {
			t.Fatal(err)
		}
		lo, hi, err := bounds(file)
		if err != nil || lo != c.lo || hi != c.hi {
			t.Errorf("%q: %d to %d, %v; want %d to %d", c.kernel, lo, hi, err, c.lo, c.hi)
		}
	}
	if lo, hi, err := bounds(filepath.Join(t.TempDir(), "none")); err != nil || lo != first || hi != last {
		t.Errorf("no file: %d to %d, %v", lo, hi, err)
	}
}

// TestOutside: no connection of the machine gets a port given here by chance.
func TestOutside(t *testing.T) {
	if _, err := os.Stat("/proc/sys/net/ipv4/ip_local_port_range"); err != nil {
		t.Skip("only Linux says which ports outgoing connections get")
	}
	lo, hi, err := bounds("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if port := l.Addr().(*net.TCPAddr).Port; port >= lo && port < hi {
			t.Fatalf("the kernel gave out %d, from %d to %d", port, lo, hi)
		}
	}
}
