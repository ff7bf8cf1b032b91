//go:build unix

package broker

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// syncModes are how the server may be run: as shipped, and with a flush to disk
// before every answer.
var syncModes = []struct{ name, interval string }{{"default", "2m"}, {"always", "always"}}

// cpu is the processor time that the server has used.
func (p *serverProcess) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// ownCPU is the processor time that this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure reports what a call costs on either side.
func (p *serverProcess) measure(b *testing.B, workers int, call func(ctx context.Context, i int) error) {
	b.Helper()
	b.ReportAllocs()
	own, theirs := ownCPU(), p.cpu()
	b.ResetTimer()
	parallel(b, workers, call)
	b.StopTimer()
	b.ReportMetric(float64((ownCPU()-own).Microseconds())/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64((p.cpu()-theirs).Microseconds())/float64(b.N), "server-us/op")
	b.ReportMetric(0, "ns/op")
}

// forModes runs a benchmark against a server of either sync mode, with one, 64 and
// 512 writers.
func forModes(b *testing.B, run func(b *testing.B, p *serverProcess, c *Conn, workers int)) {
	for _, mode := range syncModes {
		for _, workers := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("sync=%s/writers=%d", mode.name, workers), func(b *testing.B) {
				p := startProcess(b, mode.interval)
				run(b, p, p.connect(b), workers)
			})
		}
	}
}

// BenchmarkProcessWrites creates keys: one stored message a call.
func BenchmarkProcessWrites(b *testing.B) {
	forModes(b, func(b *testing.B, p *serverProcess, c *Conn, workers int) {
		value := make([]byte, 500)
		p.measure(b, workers, func(ctx context.Context, i int) error {
			_, err := c.Ledger().Create(ctx, "op."+strconv.Itoa(i), value)
			return err
		})
	})
}

// BenchmarkProcessCommand does what one command asks of the broker: a delivery,
// three writes of its record, a result and the acknowledgement.
func BenchmarkProcessCommand(b *testing.B) {
	forModes(b, func(b *testing.B, p *serverProcess, c *Conn, workers int) {
		value := make([]byte, 700)
		parallel(b, 64, func(ctx context.Context, _ int) error {
			return c.Publish(ctx, Outgoing{Subject: laneSubject("restart", "normal"), Data: value,
				Header: Header{"Ce-Id": {"x"}, "Ce-Type": {"sluice.command"}, "Ce-Source": {"bench"}, "Ce-Specversion": {"1.0"}}})
		})
		q := testLane(b, c, time.Minute)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		messages := make(chan Message, workers)
		go func() {
			for ctx.Err() == nil {
				got, _ := q.Fetch(ctx, min(max(workers, 1), 500), time.Second)
				for _, m := range got {
					select {
					case messages <- m:
					case <-ctx.Done():
						return
					}
				}
			}
		}()
		p.measure(b, workers, func(ctx context.Context, i int) error {
			m := <-messages
			key := "op." + strconv.FormatUint(m.Sequence(), 10)
			rev, err := c.Ledger().Create(ctx, key, value)
			if err == nil {
				rev, err = c.Ledger().Update(ctx, key, value, rev)
			}
			if err == nil {
				_, err = c.Ledger().Update(ctx, key, value, rev)
			}
			if err == nil {
				err = c.Publish(ctx, Outgoing{Subject: "sluice.results.volcengine.prod.succeeded", ID: key, Data: value})
			}
			if err == nil {
				err = m.Ack(ctx)
			}
			return err
		})
	})
}

// BenchmarkProcessLanes creates durable consumers, a number of them at a time.
func BenchmarkProcessLanes(b *testing.B) {
	for _, workers := range []int{8, 32, 64} {
		b.Run(fmt.Sprintf("at=%d", workers), func(b *testing.B) {
			p := startProcess(b, "2m")
			c := p.connect(b)
			p.measure(b, workers, func(ctx context.Context, i int) error {
				subject := fmt.Sprintf("sluice.commands.volcengine.prod.region-%d.restart.normal", i)
				_, err := c.Lane(ctx, LaneSpec{Subject: subject, AckWait: time.Minute, MaxPending: 100})
				return err
			})
		})
	}
}
