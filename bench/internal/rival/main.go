package rival

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is the main function of a rival: it reads the command line, which further may
// add flags to, connects, and runs until the process is told to stop.
func Main(name string, further func(*Options), run func(context.Context, *Job) error) {
	o := Options{}
	flag.StringVar(&o.NATS, "nats", "", "URL of the NATS server")
	flag.StringVar(&o.Vendor, "vendor", "", "URL of the vendor's end")
	flag.StringVar(&o.Prefix, "prefix", name, "prefix of subjects and streams")
	flag.IntVar(&o.Workers, "workers", 256, "commands worked on at a time")
	further(&o)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	job, err := Connect(ctx, o)
	if err == nil {
		err = run(ctx, job)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}
