package rig

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// Row is one line of the table: a fault and what came of it.
type Row struct {
	Fault    string
	Injected int
	Tally
	// Recovery is the worst time from the fault (or its end) to the next sign of
	// work.
	Recovery time.Duration
}

var (
	rowsMu sync.Mutex
	rows   []Row
)

// Add puts a row into the table; rows of the same fault become one.
func Add(r Row) {
	rowsMu.Lock()
	defer rowsMu.Unlock()
	for i := range rows {
		if rows[i].Fault == r.Fault {
			rows[i].merge(r)
			return
		}
	}
	rows = append(rows, r)
}

func (r *Row) merge(o Row) {
	r.Injected += o.Injected
	r.Commands += o.Commands
	r.Finals += o.Finals
	r.Lost += o.Lost
	r.Twice += o.Twice
	r.WithoutRight += o.WithoutRight
	r.Recovery = max(r.Recovery, o.Recovery)
}

// table is what was added, aligned, with a sum.
func table() string {
	rowsMu.Lock()
	defer rowsMu.Unlock()
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\tinjected\tcommands\tfinal results\tlost\tanswered twice\twithout right\tworst recovery")
	sum := Row{Fault: "all"}
	for _, r := range rows {
		r.write(w)
		sum.merge(r)
	}
	sum.write(w)
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

func (r Row) write(w *tabwriter.Writer) {
	recovery := "-"
	if r.Recovery > 0 {
		recovery = r.Recovery.Round(10 * time.Millisecond).String()
	}
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Fault, r.Injected, r.Commands, r.Finals, r.Lost, r.Twice, r.WithoutRight, recovery)
}

// Main is a TestMain: it runs the tests, removes what was built, prints the table
// and returns the exit code.
func Main(m *testing.M) int {
	// The scenarios wait most of the time, whatever the number of processors;
	// what bounds them is Reserve.
	if err := flag.Set("test.parallel", "256"); err != nil {
		panic(err)
	}
	code := m.Run()
	cleanUp()
	text := table()
	fmt.Print(text)
	if *out == "" {
		return code
	}
	if err := os.WriteFile(*out, []byte(text), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "write the table of faults:", err)
		return cmp.Or(code, 1)
	}
	return code
}
