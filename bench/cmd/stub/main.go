// Command stub is a vendor's end that is as cheap as can be: it answers a few of
// Volcengine's actions with fixed bytes, checks no signature and enforces no
// quota, and notes when each call arrived. It is for measurements in which the
// emulator would be the limit.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "loopback address")
	instances := flag.String("instances", "", "instances that exist from the start, as PREFIX,COUNT: PREFIX0 and so on")
	flag.Parse()
	fmt.Fprintln(os.Stderr, "stub:", run(*listen, *instances))
	os.Exit(1)
}

// run serves until it cannot, and says why.
func run(listen, instances string) error {
	v := newVendor()
	if prefix, count, ok := strings.Cut(instances, ","); ok {
		var n int
		if _, err := fmt.Sscan(count, &n); err != nil {
			return fmt.Errorf("-instances %q: want PREFIX,COUNT", instances)
		}
		for i := range n {
			v.know(fmt.Sprintf("%s%d", prefix, i))
		}
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("listening url=http://%s\n", l.Addr())
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go serve(conn, v)
	}
}
