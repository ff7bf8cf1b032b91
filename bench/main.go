package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/report"
	"github.com/seed-7b870224/sluice/bench/internal/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// flags are the command line.
type flags struct {
	rounds                   int
	only, out, plots, json   string
	profile, consumer, stage string
	quick, list, alone       bool
}

func parseFlags() flags {
	var f flags
	flag.IntVar(&f.rounds, "rounds", 5, "rounds of each measurement; the table shows medians")
	flag.StringVar(&f.only, "only", "", "scenarios to run, comma-separated; all without it")
	flag.BoolVar(&f.quick, "quick", false, "small sizes and one round, to check the bench itself")
	flag.StringVar(&f.out, "out", "", "file for the table in Markdown")
	flag.StringVar(&f.plots, "plots", "", "directory for the plots (SVG)")
	flag.StringVar(&f.json, "json", "", "file for the raw figures")
	flag.StringVar(&f.profile, "profile", "", "directory for the consumers' CPU and memory profiles; with -consumer, that one must be built with -tags profile")
	flag.StringVar(&f.consumer, "consumer", "", "a built consumer to measure, instead of ../cmd/consumer")
	flag.StringVar(&f.stage, "dir", "", "directory for stores and logs, emptied of them at the end; default a temporary one")
	flag.BoolVar(&f.alone, "alone", false, "measure throughput and latency without the rivals: while something is tuned")
	flag.BoolVar(&f.list, "list", false, "list the scenarios and stop")
	flag.Parse()
	return f
}

func run(ctx context.Context) error {
	f := parseFlags()
	chosen, err := choose(scenarios(), f.only)
	if err != nil {
		return err
	}
	if f.list {
		for _, s := range chosen {
			fmt.Printf("%-14s %s\n", s.Name, s.Title)
		}
		return nil
	}
	b := &Bench{Rounds: max(f.rounds, 1), Quick: f.quick, Alone: f.alone, Plots: f.plots}
	if f.quick {
		b.Rounds = 1
	}
	b.Rig, err = rig.New(rig.Options{Dir: f.stage, Consumer: f.consumer, Profiles: f.profile})
	if err != nil {
		return err
	}
	defer b.Rig.Close()
	before := load1()
	rows, failed := b.run(ctx, chosen)
	return errors.Join(failed, write(f, rows, machine(b, before)))
}

// choose picks the scenarios that are named.
func choose(all []Scenario, only string) ([]Scenario, error) {
	if only == "" {
		return all, nil
	}
	var chosen []Scenario
	for _, name := range strings.Split(only, ",") {
		i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no scenario %q; -list shows them all", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// run runs the scenarios in order. One that fails does not keep the others from
// running.
func (b *Bench) run(ctx context.Context, chosen []Scenario) (rows []report.Row, failed error) {
	for _, s := range chosen {
		if ctx.Err() != nil {
			return rows, errors.Join(failed, errors.New("interrupted"))
		}
		began := time.Now()
		b.scenario = s.Name
		b.Logf("%s", s.Title)
		more, err := s.Run(ctx, b)
		for i := range more {
			more[i].Scenario = s.Name
			if b.Quick {
				more[i].Verdict = report.None // small sizes meet and miss nothing
			}
			b.Logf("%s", more[i].Line())
		}
		rows = append(rows, more...)
		if err != nil {
			b.Logf("FAILED after %s: %v", time.Since(began).Round(time.Second), err)
			failed = errors.Join(failed, fmt.Errorf("scenario %s: %w", s.Name, err))
		}
		// What a failed scenario left running would disturb the next.
		b.Rig.StopAll()
	}
	return rows, failed
}

// write prints the table and writes the files that were asked for.
func write(f flags, rows []report.Row, machine string) error {
	table := func(w io.Writer, rows []report.Row) error {
		_, err := fmt.Fprintf(w, "%s\n\n", machine)
		return errors.Join(err, report.Markdown(w, rows))
	}
	fmt.Println()
	err := table(os.Stdout, rows)
	if f.out != "" {
		err = errors.Join(err, writeFile(f.out, rows, table))
	}
	if f.json != "" {
		err = errors.Join(err, writeFile(f.json, rows, report.Raw))
	}
	return err
}
