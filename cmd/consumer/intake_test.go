package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/config"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/freeport"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// newIntakeDaemon is a daemon with an intake, and where that listens.
func newIntakeDaemon(t *testing.T, clouds string) (*daemon, string) {
	t.Helper()
	listen := freeport.Address(t)
	return newDaemon(t, clouds, fmt.Sprintf(`
intake:
  listen: %q
  publishers:
    - name: fleet
      token: fleet-token
      allow: [restart]
    - name: alertmanager
      token: am-token
      allow: [restart]
      accounts: [prod]
  alertmanager:
    - name: redis-hung
      publisher: alertmanager
      match: {alertname: RedisHung}
      command:
        operation: restart
        vendor: '{{ .Labels.cloud }}'
        account: '{{ .Labels.account }}'
        region: '{{ .Labels.region }}'
        instanceId: '{{ .Labels.instance_id }}'
        priority: urgent
`, listen)), "http://" + listen
}

// postIntake sends a body and returns code and answer.
func postIntake(t *testing.T, url, kind, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// restartEvent is a structured event that asks for a restart; its extension names a
// publisher.
func restartEvent(id, instance, publisher string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/intake/fleet","type":"dev.sluice.command.restart.v1","sluicepublisher":%q,`+
		`"data":{"vendor":"volcengine","account":"prod","region":"cn-beijing","instanceId":%q,"clientToken":%q}}`, id, publisher, instance, id)
}

// The intake as a process: a command and an alert over HTTP are carried out, the
// publisher shows in record and log, and only where it is proven.
func TestIntakeOverHTTP(t *testing.T) {
	t.Parallel()
	clouds, url := cloud(t)
	d, intake := newIntakeDaemon(t, url)
	d.start()
	kind := "application/cloudevents+json"
	if code, body := postIntake(t, intake+"/v1/commands", kind, "fleet-token", restartEvent("over-http", "redis-1", "somebody")); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, body)
	}
	alert := fmt.Sprintf(`{"version":"4","alerts":[{"status":"firing","fingerprint":"f1","startsAt":%q,"labels":{"alertname":"RedisHung",
		"cloud":"volcengine","account":"prod","region":"cn-beijing","instance_id":"redis-2"}}]}`, time.Now().UTC().Format(time.RFC3339))
	code, body := postIntake(t, intake+"/v1/alertmanager/redis-hung", "application/json", "am-token", alert)
	var stored []struct{ ClientToken string }
	if err := json.Unmarshal([]byte(body), &stored); err != nil || code != http.StatusAccepted || len(stored) != 1 {
		t.Fatalf("%d %s", code, body)
	}
	conn := d.connect()
	forged := broker.Header{"Content-Type": {kind}, "Sluice-Intake-Proof": {strings.Repeat("a", 26) + "." + strings.Repeat("A", 86)}}
	lane := events.Subjects{Prefix: "sluice"}.Lane(events.Lane{Vendor: "volcengine", Account: "prod", Region: "cn-beijing", Operation: "restart", Priority: "normal"})
	if err := conn.Publish(t.Context(), broker.Outgoing{Subject: lane, ID: "forged", Header: forged, Data: []byte(restartEvent("forged", "redis-3", "fleet"))}); err != nil {
		t.Fatal(err)
	}
	records := ledger.Open(conn.Ledger(), "test")
	for token, publisher := range map[string]string{"over-http": "fleet", stored[0].ClientToken: "alertmanager", "forged": ""} {
		var c events.Command
		d.eventually(token+" to end", func() bool {
			e, err := records.Get(t.Context(), events.TokenKey(token))
			return err == nil && e.State == ledger.Final && json.Unmarshal(e.Command, &c) == nil
		})
		if c.Publisher != publisher {
			t.Errorf("%s: the record names publisher %q, want %q", token, c.Publisher, publisher)
		}
	}
	status, _, _ := exited(t, program(t, "status", "over-http", "--nats-url", "nats://"+d.nats))
	if !strings.Contains(status, "fleet (over HTTP)") {
		t.Errorf("status: %s", status)
	}
	resp, err := http.Get("http://" + d.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	metrics, _ := io.ReadAll(resp.Body)
	for _, line := range []string{`sluice_intake_events_total{outcome="accepted",publisher="fleet"} 1`, `sluice_intake_alerts_total{outcome="accepted",route="redis-hung"} 1`} {
		if !strings.Contains(string(metrics), line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if n := len(clouds.Calls(emulator.Filter{Mutations: true})); n != 3 {
		t.Errorf("%d mutations arrived", n)
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d", code)
	}
	for _, publisher := range []string{"fleet", "alertmanager"} {
		if !strings.Contains(d.log.String(), "msg=result publisher="+publisher+" status=succeeded") {
			t.Errorf("no result line names %s:\n%s", publisher, d.log)
		}
	}
	if n := strings.Count(d.log.String(), "publisher=fleet status="); n < 1 || strings.Contains(d.log.String(), "-token") {
		t.Error("a token shows in the log, or the publisher does not")
	}
}

// The configurations of docs/feeding.md are valid as they stand.
func TestFeedingConfigurations(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/feeding.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n# (publishers|sluice).yaml\n(.*?)```").FindAllSubmatch(text, -1)
	for _, f := range found {
		example := regexp.MustCompile(`\$\{file:[^}]*\}`).ReplaceAll(f[2], []byte("a-token"))
		keys := map[string]string{"VOLC_AK": "key", "VOLC_SK": "secret"}
		env := func(name string) (string, bool) { value, ok := keys[name]; return value, ok }
		conf, err := config.Parse(string(f[1]), example, config.Options{Catalog: catalog(), Env: env})
		if err != nil || !conf.IntakeConfigured() {
			t.Errorf("%s.yaml: %v", f[1], err)
		}
	}
	if len(found) != 2 {
		t.Errorf("%d configurations", len(found))
	}
}

// A certificate that is not there ends the start, as a mistake of the configuration.
func TestIntakeWithoutItsCertificate(t *testing.T) {
	t.Parallel()
	_, url := cloud(t)
	d := newDaemon(t, url, fmt.Sprintf("intake: {listen: %q, tls: {cert: /none/tls.crt, key: /none/tls.key}, publishers: [{name: p, token: t, allow: [restart]}]}", freeport.Address(t)))
	_, stderr, code := exited(t, program(t, "run", "--config", d.config))
	if code != 2 || !strings.Contains(stderr, "Error: intake.tls: ") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
