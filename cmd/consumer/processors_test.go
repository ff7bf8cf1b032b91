package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-7b870224/sluice/internal/freeport"
)

func TestProcessorsFollowTheLoad(t *testing.T) {
	t.Parallel()
	calm, busy, between := slices.Repeat([]float64{0.1}, lulls), []float64{0.9}, []float64{0.6}
	join := slices.Concat[[]float64]
	for _, c := range []struct {
		name   string
		shares []float64
		want   []bool // each change, true to all
	}{
		{"calm", calm, []bool{false}},
		{"calm and calmer", join(calm, calm, calm), []bool{false}},
		{"not calm for long enough", calm[1:], nil},
		{"calm with a moment of work", join(calm[1:], between, calm[1:]), nil},
		{"calm with a moment of hard work", join(calm[1:], busy, calm[1:]), nil},
		{"work after a calm", join(calm, busy), []bool{false, true}},
		{"some work after a calm", join(calm, between, between), []bool{false}},
		{"a calm after work", join(calm, busy, busy, calm), []bool{false, true, false}},
		{"work", busy, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []bool
			p := processors{spread: func(wide bool) { got = append(got, wide) }}
			for _, share := range c.shares {
				p.sample(share)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("changes %v, want %v", got, c.want)
			}
		})
	}
}

func TestProcessorsMeasureAndGiveBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var percent atomic.Int64
		var used time.Duration
		var got []bool
		p := processors{
			used: func() (time.Duration, bool) {
				used += usedEvery * time.Duration(percent.Load()) / 100
				return used, true
			},
			spread: func(wide bool) { got = append(got, wide) },
		}
		go p.run(ctx)
		step := func(next int64, want ...bool) {
			t.Helper()
			percent.Store(next)
			time.Sleep(lulls*usedEvery + usedEvery/2)
			synctest.Wait()
			if !slices.Equal(got, want) {
				t.Fatalf("changes %v, want %v", got, want)
			}
		}
		step(40, false)
		step(70, false)
		step(80, false, true)
		step(30, false, true, false)
		cancel()
		step(30, false, true, false, true)
	})
}

func TestProcessorsUnknownTime(t *testing.T) {
	t.Parallel()
	p := processors{used: func() (time.Duration, bool) { return 0, false }, spread: func(bool) { t.Error("changed") }}
	p.run(t.Context())
}

// An idle consumer is on one processor, though it may have three.
func TestProcessorsOfAProcess(t *testing.T) {
	t.Parallel()
	if _, ok := processTime(); !ok {
		t.Skip(runtime.GOOS + " does not tell the processor time of a process")
	}
	d := &daemon{t: t, http: freeport.Address(t)}
	d.config = file(t, "sluice.yaml", fmt.Sprintf("nats: {url: %q}\nhttp: {listen: %q}\n", startBroker(t).url, d.http))
	cmd := program(t, "run", "--config", d.config)
	cmd.Env = append(cmd.Env, "GOMAXPROCS=3")
	d.launch(cmd)
	d.eventually("one processor", func() bool {
		resp, err := http.Get("http://" + d.http + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		page, _ := io.ReadAll(resp.Body)
		return strings.Contains(string(page), "\ngo_sched_gomaxprocs_threads 1\n")
	})
	d.kill()
	if !strings.Contains(d.log.String(), "gomaxprocs=3") {
		t.Errorf("the line ready does not say what is allowed:\n%s", d.log)
	}
}
