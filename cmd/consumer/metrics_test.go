package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// metric reads a series of the daemon's; NaN if it is not there.
func (d *daemon) metric(series string) float64 {
	d.t.Helper()
	resp, err := http.Get("http://" + d.http + "/metrics")
	if err != nil {
		return math.NaN()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return math.NaN()
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				d.t.Fatalf("%s: %v", line, err)
			}
			return value
		}
	}
	return math.NaN()
}

// rewrite changes the daemon's configuration.
func (d *daemon) rewrite(before, after string) {
	d.t.Helper()
	raw, err := os.ReadFile(d.config)
	if err != nil || !bytes.Contains(raw, []byte(before)) {
		d.t.Fatalf("the configuration has no %q (%v)", before, err)
	}
	if err := os.WriteFile(d.config, bytes.Replace(raw, []byte(before), []byte(after), 1), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// limitLedger gives the ledger's bucket a limit, as an operator would.
func (d *daemon) limitLedger(bytes int64) {
	d.t.Helper()
	nc, err := nats.Connect("nats://" + d.nats)
	if err != nil {
		d.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	stream, err := js.Stream(ctx, "KV_sluice_ledger")
	if err != nil {
		d.t.Fatal(err)
	}
	conf := stream.CachedInfo().Config
	conf.MaxBytes = bytes
	if _, err := js.UpdateStream(ctx, conf); err != nil {
		d.t.Fatal(err)
	}
}

// A command that cannot be carried out, since the key is wrong, is seen in the
// metrics, and so is that it was carried out once the key is right.
func TestMetricsOfAnAccountThatIsRefused(t *testing.T) {
	t.Parallel()
	_, url := cloud(t)
	d := newDaemon(t, url, "")
	const (
		where   = `{account="prod",region="cn-beijing",vendor="volcengine"}`
		lane    = `{account="prod",operation="restart",priority="urgent",region="cn-beijing",vendor="volcengine"}`
		restart = `{account="prod",action="RestartDBInstance",region="cn-beijing",vendor="volcengine"}`
		right   = "{accessKey: emulator-key, secretKey: emulator-secret}"
		wrong   = "{accessKey: emulator-key, secretKey: no-such-secret}"
	)
	d.rewrite(right, wrong)
	d.rewrite("    allow: [restart, flush, restore]", "    allow: [restart, flush, restore]\n    quotas: {RestartDBInstance: 7/s}")
	d.start()
	d.eventually("the quota in force", func() bool { return d.metric("sluice_quota_configured"+restart) == 7 })
	if v := d.metric("sluice_account_unauthorized" + where); v != 0 {
		t.Errorf("unauthorized before any call: %v", v)
	}
	d.eventually("the ledger's size", func() bool { return d.metric("sluice_ledger_limit_bytes") == 0 })
	exited(t, program(t, "send", "restart", "redis-1", "--vendor", "volcengine", "--account", "prod", "--region", "cn-beijing",
		"--priority", "urgent", "--token", "locked-out", "--nats-url", "nats://"+d.nats))
	d.eventually("the refusal", func() bool { return d.metric("sluice_account_unauthorized"+where) == 1 })
	if v := d.metric("sluice_breaker_state" + where); v == 0 {
		t.Error("the vendor refuses the key, and the breaker is closed")
	}
	d.eventually("an age", func() bool { return d.metric("sluice_lane_oldest_seconds"+lane) > 0 })
	first := d.metric("sluice_lane_oldest_seconds" + lane)
	d.eventually("a higher age", func() bool { return d.metric("sluice_lane_oldest_seconds"+lane) > first+1 })
	if v := d.metric("sluice_lane_backlog" + lane); v != 1 {
		t.Errorf("backlog %v, not 1", v)
	}
	d.limitLedger(1 << 20)

	d.kill()
	d.rewrite(wrong, right)
	d.start()
	d.eventually("the command's end", func() bool { return d.metric(`sluice_results_total{reason="",status="succeeded"}`) == 1 })
	d.eventually("an empty lane", func() bool {
		return d.metric("sluice_lane_oldest_seconds"+lane) == 0 || math.IsNaN(d.metric("sluice_lane_oldest_seconds"+lane))
	})
	if v := d.metric("sluice_account_unauthorized" + where); v != 0 {
		t.Errorf("unauthorized with the right key: %v", v)
	}
	if v := d.metric("sluice_ledger_limit_bytes"); v != 1<<20 {
		t.Errorf("limit of the ledger: %v", v)
	}
	if v := d.metric("sluice_ledger_bytes"); !(v > 100) {
		t.Errorf("size of the ledger with one record: %v", v)
	}
}

// A small memory limit is not used up by the floor under the heap.
func TestHeapFloorUnderALimit(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]int{math.MaxInt64: 32 << 20, 1 << 30: 32 << 20, 256 << 20: 32 << 20, 128 << 20: 16 << 20, 64 << 20: 8 << 20, 0: 0} {
		if got := floorFor(limit); got != want {
			t.Errorf("limit %d: floor %d, want %d", limit, got, want)
		}
	}
}
