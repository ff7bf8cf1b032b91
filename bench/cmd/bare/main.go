// Command bare is a plain nats.go program that does Sluice's job without its
// promises: the floor for a program that keeps a record of every token.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/bench/internal/rival"
)

func main() {
	rival.Main("bare", func(o *rival.Options) {
		flag.BoolVar(&o.Async, "async", false, "publish asynchronously")
	}, run)
}

func run(ctx context.Context, job *rival.Job) error {
	consumer, err := job.Consumer(ctx)
	if err != nil {
		return err
	}
	slots := make(chan struct{}, job.Workers)
	running, err := consumer.Consume(func(msg jetstream.Msg) {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			handle(ctx, job, msg)
		}()
	}, jetstream.PullMaxMessages(500))
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	defer running.Stop()
	fmt.Println("working")
	<-ctx.Done()
	return nil
}

// handle takes one command to its end, or gives it back.
func handle(ctx context.Context, job *rival.Job, msg jetstream.Msg) {
	err := carryOut(ctx, job, msg.Data())
	switch {
	case err == nil:
		err = msg.Ack()
	case errors.Is(err, rival.ErrInFlight):
		err = msg.NakWithDelay(20 * time.Millisecond)
	default:
		err = errors.Join(err, msg.NakWithDelay(time.Second))
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
	}
}

func carryOut(ctx context.Context, job *rival.Job, data []byte) error {
	c, err := rival.Decode(data)
	if err != nil {
		return err
	}
	revision, held, err := job.Claim(ctx, c)
	if err != nil {
		return err
	}
	if held != nil {
		return job.Answer(ctx, c, held.Status, true)
	}
	if revision, err = job.Intend(ctx, c, revision); err != nil {
		return err
	}
	status, err := job.Call(ctx, c)
	if err != nil {
		return err
	}
	return job.Settle(ctx, c, revision, status)
}
