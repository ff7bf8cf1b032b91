package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/freeport"
)

// figuresYAML is an account whose quotas are out of the way.
const figuresYAML = `
nats: {embedded: {storeDir: %q, listen: %q, sync: always}}
http: {listen: %q}
accounts:
  - name: prod
    vendor: volcengine
    regions: [cn-beijing]
    credentials: {accessKey: emulator-key, secretKey: emulator-secret}
    endpoint: %q
    allow: [flush]
    quotas: {FlushDBInstance: 1000/s, DescribeDBInstanceDetail: 1000/s}
`

// figuresConfig writes the configuration into dir.
func figuresConfig(b *testing.B, dir, clouds string) (file, nats, web string) {
	b.Helper()
	nats, web = freeport.Address(b), freeport.Address(b)
	file = filepath.Join(dir, "sluice.yaml")
	text := fmt.Sprintf(figuresYAML, filepath.Join(dir, "nats"), nats, web, clouds)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return file, nats, web
}

// BenchmarkIdleLatency measures an idle consumer with the embedded server and
// sync always: from before the publish to the emulated vendor's receipt of the
// mutation, the look-up before it included.
func BenchmarkIdleLatency(b *testing.B) {
	clouds := emulator.New(emulator.Options{Quotas: emulator.Quotas{Mode: emulator.QuotaOff}})
	url, err := clouds.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer clouds.Close()
	file, _, _ := figuresConfig(b, b.TempDir(), url)
	conf, err := config.Load(file, config.Options{Catalog: catalog()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	c, err := newConsumer(ctx, conf, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer c.close()
	ended := make(chan error, 1)
	go func() { ended <- c.serve(ctx) }()
	defer func() { stop(); <-ended }()
	for !c.prepared.Load() {
		time.Sleep(time.Millisecond)
	}
	subjects := events.Subjects{Prefix: "sluice"}
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		d := events.Draft{Operation: "flush", Vendor: "volcengine", Account: "prod", Region: "cn-beijing",
			InstanceID: fmt.Sprintf("redis-%d", i), Source: "/bench", ID: fmt.Sprint(i), Token: fmt.Sprint(i)}
		cmd, raw, err := d.Event(time.Now())
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := c.conn.Publish(ctx, broker.Outgoing{Subject: subjects.Lane(cmd.Lane()), Data: raw}); err != nil {
			b.Fatal(err)
		}
		for {
			calls := clouds.Calls(emulator.Filter{Instance: d.InstanceID, Mutations: true, Limit: 1})
			if len(calls) == 1 {
				if i > 0 { // the first waits for the owner's quota window
					took = append(took, calls[0].Time.Sub(began))
				}
				break
			}
			time.Sleep(200 * time.Microsecond)
		}
		time.Sleep(20 * time.Millisecond) // idle again
	}
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
}

// BenchmarkStartToReady measures the program as it is shipped, from its start to
// the first good /readyz.
func BenchmarkStartToReady(b *testing.B) {
	path := filepath.Join(b.TempDir(), "consumer")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v: %s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		file, _, web := figuresConfig(b, b.TempDir(), "http://127.0.0.1:1")
		cmd := exec.Command(path, "run", "--config", file)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		for {
			resp, err := http.Get("http://" + web + "/readyz")
			if err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					break
				}
			}
			time.Sleep(2 * time.Millisecond)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	b.ReportMetric(float64(info.Size())/1e6, "binary-MB")
}
