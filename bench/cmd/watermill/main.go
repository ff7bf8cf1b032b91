// Command watermill is a Watermill router that does Sluice's job: a middleware
// claims the token in a key-value bucket and answers duplicates, the handler
// records the intent, calls the vendor and records the outcome, and the router
// publishes the result and acknowledges.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/seed-7b870224/sluice/bench/internal/rival"
)

func main() {
	var o rival.Options
	flag.StringVar(&o.NATS, "nats", "", "URL of the NATS server")
	flag.StringVar(&o.Vendor, "vendor", "", "URL of the vendor's end")
	flag.StringVar(&o.Prefix, "prefix", "watermill", "prefix of subjects and streams")
	flag.IntVar(&o.Workers, "workers", 256, "commands worked on at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "watermill:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o rival.Options) error {
	job, err := rival.Connect(ctx, o)
	if err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{}, watermill.NopLogger{})
	if err != nil {
		return fmt.Errorf("make the router: %w", err)
	}
	h := handler{job}
	router.AddMiddleware(h.deduplicate)
	router.AddHandler("commands", "commands", &subscriber{job: job}, "results", &publisher{job: job}, h.handle)
	go func() {
		<-router.Running()
		fmt.Println("working")
	}()
	if err := router.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("run the router: %w", err)
	}
	return nil
}
