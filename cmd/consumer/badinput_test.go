package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/freeport"
)

// connect is a publisher's connection to the daemon's broker.
func (d *daemon) connect() *broker.Conn {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := broker.Connect(ctx, broker.Options{URL: "nats://" + d.nats, Prefix: "sluice"})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(conn.Close)
	if err := conn.WaitConnected(ctx); err != nil {
		d.t.Fatal(err)
	}
	return conn
}

// badRow is one row of the contract's table of bad input.
type badRow struct {
	name, subject string
	header        broker.Header
	body          string
	// want is "status/reason", or a dead letter's reason; contains is part of
	// the message or detail.
	want, contains string
}

// commandBody is a restart command with changes: attributes by name, data fields
// by /name; a nil value removes.
func commandBody(id string, changes map[string]any) string {
	data := map[string]any{"clientToken": "bad-" + id, "vendor": "volcengine", "account": "prod", "region": "cn-beijing", "instanceId": "redis-" + id}
	e := map[string]any{"specversion": "1.0", "type": "dev.sluice.command.restart.v1", "source": "/bad", "id": id, "data": data}
	for name, value := range changes {
		into := e
		if field, ok := strings.CutPrefix(name, "/"); ok {
			into, name = data, field
		}
		if value == nil {
			delete(into, name)
			continue
		}
		into[name] = value
	}
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func badRows() []badRow {
	const lane = "sluice.commands.volcengine.prod.cn-beijing.restart.normal"
	row := func(name, want, contains string, changes map[string]any) badRow {
		return badRow{name: name, subject: lane, body: commandBody(name, changes), want: want, contains: contains}
	}
	at := func(r badRow, subject string) badRow { r.subject = subject; return r }
	flush := "sluice.commands.tencent-crs.crs.gz.flush.normal"
	crs := map[string]any{"type": "dev.sluice.command.flush.v1", "/vendor": "tencent-crs", "/account": "crs", "/region": "gz", "/instanceId": "crs-bad"}
	with := func(base map[string]any, name string, value any) map[string]any {
		out := map[string]any{name: value}
		for k, v := range base {
			out[k] = v
		}
		return out
	}
	return []badRow{
		{name: "not-json", subject: lane, body: "restart it", want: "not_cloudevent"},
		{name: "no-id", subject: lane, body: commandBody("no-id", map[string]any{"id": nil}), want: "not_cloudevent", contains: "id"},
		{name: "specversion", subject: lane, body: commandBody("specversion", map[string]any{"specversion": "0.3"}), want: "not_cloudevent"},
		{name: "too-large", subject: lane, body: commandBody("too-large", map[string]any{"padding": strings.Repeat("x", 70000)}), want: "too_large"},
		{name: "batch", subject: lane, header: broker.Header{"Content-Type": {"application/cloudevents-batch+json"}}, body: "[" + commandBody("batch", nil) + "]", want: "batch_on_lane"},
		row("other-type", "rejected/invalid_event", "", map[string]any{"type": "com.example.something"}),
		row("unknown-op", "rejected/invalid_event", "", map[string]any{"type": "dev.sluice.command.reboot.v1"}),
		row("no-instance", "rejected/invalid_data", "/instanceId", map[string]any{"/instanceId": nil}),
		row("extra-field", "rejected/invalid_data", "/colour", map[string]any{"/colour": "red"}),
		row("long-token", "rejected/invalid_data", "/clientToken", map[string]any{"/clientToken": strings.Repeat("t", 128)}),
		row("odd-token", "rejected/invalid_data", "/clientToken", map[string]any{"/clientToken": "tök"}),
		row("odd-priority", "rejected/invalid_data", "/priority", map[string]any{"/priority": "asap"}),
		row("other-region", "rejected/subject_mismatch", "", map[string]any{"/region": "cn-shanghai"}),
		row("other-subject", "rejected/subject_mismatch", "", map[string]any{"subject": "redis-somebody-else"}),
		at(row("region-unknown", "rejected/unknown_region", "", map[string]any{"/region": "cn-mars"}), "sluice.commands.volcengine.prod.cn-mars.restart.normal"),
		at(row("vendor-unknown", "rejected/unknown_vendor", "", map[string]any{"/vendor": "aws"}), "sluice.intake"),
		at(row("account-unknown", "rejected/unknown_account", "", map[string]any{"/account": "nobody"}), "sluice.intake"),
		at(row("unsupported", "rejected/operation_unsupported", "", map[string]any{"type": "dev.sluice.command.soft_restart.v1"}), "sluice.commands.volcengine.prod.cn-beijing.soft_restart.normal"),
		at(badRow{name: "no-password", body: commandBody("no-password", crs), want: "rejected/invalid_data", contains: "/parameters"}, flush),
		at(badRow{name: "plaintext", body: commandBody("plaintext", with(crs, "/parameters", map[string]any{"password": "Plain-Secret-1"})), want: "rejected/plaintext_secret"}, flush),
		at(badRow{name: "no-secret", body: commandBody("no-secret", with(crs, "/parameters", map[string]any{"password": map[string]any{"secretRef": "nothing"}})), want: "rejected/secret_unavailable"}, flush),
		row("expired", "expired/expired", "", map[string]any{"expirytime": "2020-01-01T00:00:00Z"}),
	}
}

// Every row of the contract's table, through the running program: an answer or a
// dead letter for each, and nothing at the vendor.
func TestBadInput(t *testing.T) {
	t.Parallel()
	clouds, url := cloud(t)
	d := newDaemon(t, url, "")
	d.start()
	conn := d.connect()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	results, err := conn.Results(ctx, broker.ResultFilter{New: true})
	if err != nil {
		t.Fatal(err)
	}
	rows := badRows()
	answers, letters := map[string]badRow{}, 0
	for _, r := range rows {
		if err := conn.Publish(ctx, broker.Outgoing{Subject: r.subject, Header: r.header, Data: []byte(r.body)}); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		if strings.Contains(r.want, "/") {
			answers[r.name] = r
		} else {
			letters++
		}
	}
	for len(answers) > 0 {
		m, ok := <-results
		if !ok {
			t.Fatalf("not answered: %v", answers)
		}
		e, err := events.DecodeResult(m.Data)
		if err != nil {
			t.Fatalf("%s: %v", m.Data, err)
		}
		r, known := answers[e.CausationID]
		if !known {
			t.Errorf("an answer to nothing: %s", m.Data)
			continue
		}
		delete(answers, e.CausationID)
		got := e.Data.Status + "/" + e.Data.Reason.Code
		if got != r.want || !strings.Contains(e.Data.Reason.Message, r.contains) {
			t.Errorf("%s: %s: %s; want %s about %q", r.name, got, e.Data.Reason.Message, r.want, r.contains)
		}
		if !strings.HasPrefix(e.ID, events.ResultID(events.TokenKey(e.Data.ClientToken), e.Data.Status)+".") {
			t.Errorf("%s: the refusal's id %s is not the asking event's own", r.name, e.ID)
		}
	}
	found := map[string]int{}
	d.eventually("the dead letters", func() bool {
		got, err := conn.DeadLetters(ctx, 100)
		clear(found)
		for _, l := range got {
			found[headerOf(l.Header, "Sluice-Reason")]++
		}
		return err == nil && len(got) == letters
	})
	if found["not_cloudevent"] != 3 || found["too_large"] != 1 || found["batch_on_lane"] != 1 {
		t.Errorf("dead letters by reason: %v", found)
	}
	if calls := clouds.Calls(emulator.Filter{Mutations: true}); len(calls) > 0 {
		t.Errorf("bad input reached the vendor: %+v", calls)
	}
}

// Each member of a batch on the intake is answered by itself, and goes to its
// lane.
func TestBatchOnTheIntake(t *testing.T) {
	t.Parallel()
	_, url := cloud(t)
	d := newDaemon(t, url, "")
	d.start()
	conn := d.connect()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	results, err := conn.Results(ctx, broker.ResultFilter{New: true})
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf("[%s, 17, %s]", commandBody("one", nil), commandBody("two", map[string]any{"/region": "cn-mars"}))
	header := broker.Header{"Content-Type": {"application/cloudevents-batch+json"}}
	if err := conn.Publish(ctx, broker.Outgoing{Subject: "sluice.intake", Header: header, Data: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for len(got) < 2 {
		m, ok := <-results
		if !ok {
			t.Fatalf("answers: %v", got)
		}
		if e, err := events.DecodeResult(m.Data); err == nil && e.Data.Final {
			got[e.CausationID] = e.Data.Status
		}
	}
	if got["one"] != "succeeded" || got["two"] != "rejected" {
		t.Errorf("answers: %v", got)
	}
	d.eventually("the dead letter of 17", func() bool {
		letters, err := conn.DeadLetters(ctx, 10)
		return err == nil && len(letters) == 1 && string(letters[0].Data) == "17"
	})
}

// Without its broker the process stays up, is not ready, and goes on by itself.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	_, url := cloud(t)
	d := newDaemon(t, url, "")
	store := t.TempDir()
	start := func() (*broker.Server, error) {
		return broker.StartServer(broker.ServerOptions{StoreDir: store, Listen: d.nats, SyncAlways: true})
	}
	startServer := func() *broker.Server {
		s, err := start()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	server, err := start()
	for try := 0; err != nil && try < 5; try++ {
		d.nats = freeport.Address(t) // another process has taken the one before meanwhile
		server, err = start()
	}
	if err != nil {
		t.Fatal(err)
	}
	d.flags = []string{"--nats-url", "nats://" + d.nats}
	d.start()
	server.Shutdown()
	ready := func() bool {
		resp, err := http.Get("http://" + d.http + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	d.eventually("not ready", func() bool { return !ready() })
	server = startServer()
	defer server.Shutdown()
	d.eventually("ready again", ready)
	results, code := d.send(append([]string{"restart", "redis-back", "--token", "back"}, volcFlags...)...)
	if code != 0 || len(results) != 1 {
		t.Errorf("after the broker came back: exit %d, %+v", code, results)
	}
	d.kill()
}
