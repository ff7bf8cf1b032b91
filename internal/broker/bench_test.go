package broker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// benchSetUp syncs always, as in production.
func benchSetUp(b *testing.B) *Conn {
	c := testConnect(b, testOptions(testServer(b, ServerOptions{StoreDir: b.TempDir()})))
	mustSetup(b, c)
	return c
}

// parallel runs n calls by a fixed number of workers, which is how the engine
// calls: many commands at once, each waiting for its own answer.
func parallel(b *testing.B, workers int, call func(ctx context.Context, i int) error) {
	b.Helper()
	var wait sync.WaitGroup
	var next atomic.Int64
	for range workers {
		wait.Go(func() {
			for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
				if err := call(context.Background(), i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkPublish(b *testing.B) {
	c := benchSetUp(b)
	data := make([]byte, 500)
	b.ResetTimer()
	parallel(b, 64, func(ctx context.Context, _ int) error {
		return c.Publish(ctx, Outgoing{Subject: laneSubject("restart", "normal"), Data: data})
	})
}

func BenchmarkLedgerCreateAndUpdate(b *testing.B) {
	c := benchSetUp(b)
	value := make([]byte, 500)
	b.ResetTimer()
	parallel(b, 64, func(ctx context.Context, i int) error {
		key := fmt.Sprintf("op.%d", i)
		revision, err := c.Ledger().Create(ctx, key, value)
		if err == nil {
			_, err = c.Ledger().Update(ctx, key, value, revision)
		}
		return err
	})
}

func BenchmarkLedgerGet(b *testing.B) {
	c := benchSetUp(b)
	if _, err := c.Ledger().Create(context.Background(), "op.a", make([]byte, 500)); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	parallel(b, 64, func(ctx context.Context, _ int) error {
		_, err := c.Ledger().Get(ctx, "op.a")
		return err
	})
}

func BenchmarkFetchAndAck(b *testing.B) {
	for _, batch := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			c := benchSetUp(b)
			parallel(b, 64, func(ctx context.Context, _ int) error {
				return c.Publish(ctx, Outgoing{Subject: laneSubject("restart", "normal"), Data: make([]byte, 500)})
			})
			q := testLane(b, c, time.Minute)
			b.ResetTimer()
			var wait sync.WaitGroup
			fetches := 0
			slots := make(chan struct{}, 100)
			for done := 0; done < b.N; fetches++ {
				got, err := q.Fetch(context.Background(), batch, time.Second)
				if err != nil {
					b.Fatal(err)
				}
				done += len(got)
				for _, m := range got {
					slots <- struct{}{}
					wait.Go(func() {
						if err := m.Ack(context.Background()); err != nil {
							b.Error(err)
						}
						<-slots
					})
				}
			}
			wait.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
			b.ReportMetric(float64(b.N)/float64(fetches), "msgs/fetch")
		})
	}
}
