package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/freeport"
)

// faultyBinary builds the program that obeys SLUICE_FAULT and the shortened life
// of signatures, once for all tests.
var faultyBinary = sync.OnceValues(func() (string, error) { return build("-tags", "faults") })

// regionOf is a region of each vendor.
var regionOf = map[string]string{"volcengine": "cn-beijing", "huawei": "cn-north-4", "tencent": "ap-guangzhou", "tencent-crs": "gz"}

// lossyAccount is the configuration of an account of a vendor, with quotas and
// breaker out of the way.
func lossyAccount(name, vendor, endpoint string) string {
	facts := catalog()[vendor]
	var quotas, operations []string
	for action := range facts.Quotas {
		quotas = append(quotas, action+": 1000/s")
	}
	for op := range facts.Actions {
		operations = append(operations, string(op))
	}
	slices.Sort(quotas)
	slices.Sort(operations)
	projects := ""
	if facts.NeedsProject {
		projects = "projects: {" + regionOf[vendor] + ": 0123456789abcdef0123456789abcdef}"
	}
	return fmt.Sprintf(`
  - name: %s
    vendor: %s
    regions: [%s]
    %s
    credentials: {%s: emulator-key, %s: emulator-secret}
    endpoint: %q
    timeout: %s
    allow: [%s]
    quotas: {%s}
    breaker: {failures: 1000000}
    retry: {minBackoff: 100ms}
    track: {interval: 300ms}
`, name, vendor, regionOf[vendor], projects, facts.KeyField, facts.SecretField, endpoint, callTimeout,
		strings.Join(operations, ", "), strings.Join(quotas, ", "))
}

// newLossyDaemon prepares a consumer whose accounts are given as YAML. A long
// lease outlasts a busy machine, a short one is soon free after a kill.
func newLossyDaemon(t *testing.T, lease time.Duration, accounts string) *daemon {
	t.Helper()
	d := &daemon{t: t, nats: freeport.Address(t), http: freeport.Address(t), config: filepath.Join(t.TempDir(), "sluice.yaml")}
	text := fmt.Sprintf("nats: {embedded: {storeDir: %q, listen: %q}}\nhttp: {listen: %q}\nlease: {ttl: %s}\nsecrets: {dir: %q}\naccounts:\n%s",
		filepath.Join(t.TempDir(), "nats"), d.nats, d.http, lease, secretsDir(t), accounts)
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// startFaulty runs the program that was built with faults until it is ready.
func (d *daemon) startFaulty(faults string) {
	d.t.Helper()
	path, err := faultyBinary()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := isolated(d.t, path, 5*time.Minute, "run", "--config", d.config)
	cmd.Env = append(cmd.Env, "SLUICE_FAULT_SIGNATURE_LIFE="+signatureLife.String(), "SLUICE_FAULT="+faults)
	d.launch(cmd)
}

// lossyCloud listens with emulated clouds whose signatures live as long as the
// consumer is told.
func lossyCloud(t *testing.T, q emulator.Quirks) (*emulator.Server, string) {
	t.Helper()
	q.SignatureLife = signatureLife
	// Work lasts long enough to be seen from a busy machine.
	s := emulator.New(emulator.Options{
		Quirks: q, Quotas: emulator.Quotas{Mode: emulator.QuotaOff},
		Transitions: emulator.Transitions{Restart: workTime, SoftRestart: workTime, Flush: workTime, Restore: workTime},
	})
	url, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, url
}

// backupOf is a usable backup of each vendor.
var backupOf = map[string]string{
	"volcengine": "b-0001", "huawei": "b0000000-0000-4000-8000-000000000001",
	"tencent": "678362566696298532848117", "tencent-crs": "e824aecc-ef5e-11e6-a2c7-525400082493",
}

// ask stores a command.
func (d *daemon) ask(conn *broker.Conn, operation, vendor, account, instance, token string) {
	d.t.Helper()
	draft := events.Draft{
		Operation: operation, Vendor: vendor, Account: account, Region: regionOf[vendor],
		InstanceID: instance, Token: token, Source: "/lost", ID: token,
	}
	if operation == "restore" {
		draft.BackupID = backupOf[vendor]
	}
	if vendor == "tencent-crs" {
		draft.Password = &events.Password{SecretRef: "pw"}
	}
	command, raw, err := draft.Event(time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	out := broker.Outgoing{Subject: events.Subjects{Prefix: "sluice"}.Lane(command.Lane()), ID: token, Data: raw}
	if err := conn.Publish(d.t.Context(), out); err != nil {
		d.t.Fatal(err)
	}
}

// finals waits until each of the tokens has a final result, and returns all of
// them by token.
func (d *daemon) finals(conn *broker.Conn, tokens ...string) map[string][]events.Result {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 2*time.Minute)
	defer cancel()
	results, err := conn.Results(ctx, broker.ResultFilter{Since: time.Hour})
	if err != nil {
		d.t.Fatal(err)
	}
	got := map[string][]events.Result{}
	open := slices.Clone(tokens)
	for len(open) > 0 {
		m, ok := <-results
		if !ok {
			d.t.Fatalf("%d of %d commands are not answered: %v", len(open), len(tokens), open)
		}
		e, err := events.DecodeResult(m.Data)
		if err != nil {
			d.t.Fatal(err)
		}
		if token := e.Data.ClientToken; e.Data.Final {
			got[token] = append(got[token], e.Data)
			open = slices.DeleteFunc(open, func(t string) bool { return t == token })
		}
	}
	return got
}
