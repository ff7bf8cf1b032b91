// Command watermill is a Watermill router that does Sluice's job: a middleware
// claims the token in a key-value bucket and answers duplicates, the handler
// records the intent, calls the vendor and records the outcome, and the router
// publishes the result and acknowledges.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/seed-7b870224/sluice/bench/internal/rival"
)

func main() {
	rival.Main("watermill", func(*rival.Options) {}, run)
}

func run(ctx context.Context, job *rival.Job) error {
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
