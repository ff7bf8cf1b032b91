package rig

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestSumTakesTheSeriesOfOneNameOnly(t *testing.T) {
	m := Metrics{
		`calls_total{action="a",region="x"}`: 1, `calls_total{action="a",region="y"}`: 2, `calls_total{action="b",region="x"}`: 4,
		`calls_total_sum{action="a"}`: 8, "calls_total": 16,
	}
	for _, c := range []struct {
		words []string
		want  float64
	}{
		{nil, 23}, {[]string{`action="a"`}, 3}, {[]string{`action="a"`, `region="y"`}, 2}, {[]string{`action="c"`}, 0},
	} {
		if got := m.Sum("calls_total", c.words...); got != c.want {
			t.Errorf("Sum(%v) = %v, want %v", c.words, got, c.want)
		}
	}
}

// A process that has used the processor and memory is seen to have.
func TestProcessTimeAndMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this machine has no /proc")
	}
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Process{Name: "loop", cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	defer p.Kill()
	err := Await(t.Context(), time.Minute, 10*time.Millisecond, "a tenth of a second of processor", func() bool {
		used, err := p.CPU()
		return err == nil && used >= 100*time.Millisecond
	}, p)
	if err != nil {
		t.Fatal(err)
	}
	if now, most, err := p.RSS(); err != nil || now < 100<<10 || most < now {
		t.Errorf("memory %d, at most %d: %v", now, most, err)
	}
}
