package collector

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

const (
	traceID     = "4bf92f3577b34da6a3ce929d0e0e4736"
	publisher   = "00f067aa0ba902b7"
	traceparent = "00-" + traceID + "-" + publisher + "-01"
)

var volcengine = []string{"--vendor", "volcengine", "--account", "prod", "--region", "cn-beijing"}

// One command is one connected trace, from the publisher's span to the result.
func TestOneTrace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	results := r.send(append([]string{"restart", "redis-one", "--token", "one", "--priority", "urgent", "--traceparent", traceparent}, volcengine...)...)
	for _, one := range results {
		if one.Traceparent != traceparent {
			t.Errorf("result %s has traceparent %q", one.Data.Status, one.Traceparent)
		}
	}
	r.stop()
	all := r.trace(traceID)
	all.connected(t, publisher)
	process := all.one(t, "process ")
	if process.Kind() != ptrace.SpanKindConsumer || process.Name() != "process sluice.commands.{vendor}.{account}.{region}.{operation}.{priority}" {
		t.Errorf("the delivery's span is a %v called %s", process.Kind(), process.Name())
	}
	want(t, process, map[string]any{
		"messaging.system": "nats", "messaging.operation.type": "process",
		"messaging.destination.name":     "sluice.commands.volcengine.prod.cn-beijing.restart.urgent",
		"messaging.destination.template": "sluice.commands.{vendor}.{account}.{region}.{operation}.{priority}",
		"messaging.consumer.group.name":  "volcengine_prod_cn-beijing_restart_urgent",
		"messaging.message.id":           results[0].Data.Command.ID, "cloudevents.event_source": results[0].Data.Command.Source,
		"sluice.vendor": "volcengine", "sluice.account": "prod", "sluice.region": "cn-beijing", "sluice.operation": "restart",
		"sluice.priority": "urgent", "sluice.instance_id": "redis-one", "sluice.status": "succeeded",
	})
	stages(t, all, process)
	calls(t, r, all)
	log := r.log.String()
	if !strings.Contains(log, "msg=result") || !strings.Contains(log, "trace_id="+traceID+" span_id=") {
		t.Errorf("no line of the log has the trace's id:\n%s", log)
	}
}

// stages looks at the spans within the delivery's.
func stages(t *testing.T, all spans, process ptrace.Span) {
	t.Helper()
	inside := all.within(process)
	for _, name := range []string{"queue", "attempt", "track", "settle"} {
		inside.one(t, name)
	}
	if queue := inside.one(t, "queue"); queue.StartTimestamp() != process.StartTimestamp() {
		t.Errorf("the queue's span begins at %v, the delivery's at %v", queue.StartTimestamp(), process.StartTimestamp())
	}
	attempt := all.one(t, "attempt")
	want(t, attempt, map[string]any{"sluice.attempt": int64(1), "sluice.verdict": "accepted", "sluice.action": "RestartDBInstance"})
	all.within(attempt).one(t, "pace")
	all.one(t, "claim") // within the attempt if the intent claims the token, else before
	all.within(attempt).one(t, "permit")
	track := all.one(t, "track")
	if polls := all.within(track); len(polls) == 0 {
		t.Error("no poll is within the tracking's span")
	}
	var statuses []string
	for _, s := range inside.named("publish sluice.results.{vendor}") {
		if s.Kind() != ptrace.SpanKindProducer {
			t.Errorf("the result's span is a %v", s.Kind())
		}
		status, _ := s.Attributes().Get("sluice.status")
		statuses = append(statuses, status.Str())
	}
	if got := strings.Join(statuses, " "); got != "accepted succeeded" && got != "succeeded accepted" {
		t.Errorf("results with spans: %s", got)
	}
}

// calls looks at the spans of requests.
func calls(t *testing.T, r *rig, all spans) {
	t.Helper()
	u, err := url.Parse(r.clouds)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(port, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	requests := 0
	for _, s := range all {
		if s.Kind() != ptrace.SpanKindClient {
			continue
		}
		requests++
		if s.Name() == "" {
			t.Error("a request's span has no name")
		}
		want(t, s, map[string]any{"http.request.method": "POST", "server.address": host, "server.port": number,
			"http.response.status_code": int64(200), "sluice.action": s.Name()})
	}
	if requests < 3 {
		t.Errorf("%d requests have spans, at least a look-up, the call and a poll should", requests)
	}
	call := all.one(t, "RestartDBInstance")
	if call.ParentSpanID() != all.one(t, "attempt").SpanID() {
		t.Error("the call is not within the attempt")
	}
	want(t, call, map[string]any{"sluice.verdict": "accepted"})
}

// A lost answer shows in the call's span, and how its truth was found in another's.
func TestLostAnswerIsTraced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fault(`{"kind": "drop_after", "vendor": "volcengine", "action": "RestartDBInstance", "times": 1}`)
	results := r.send(append([]string{"restart", "redis-lost", "--token", "lost", "--traceparent", traceparent}, volcengine...)...)
	if last := results[len(results)-1]; last.Data.Status != "succeeded" {
		t.Fatalf("the command ended as %s", last.Data.Status)
	}
	r.stop()
	all := r.trace(traceID)
	all.connected(t, publisher)
	call := all.one(t, "RestartDBInstance")
	want(t, call, map[string]any{"sluice.verdict": "ambiguous", "error.type": "no_answer"})
	if call.Status().Code() != ptrace.StatusCodeError {
		t.Error("the call's span is no failure")
	}
	reconcile := all.one(t, "reconcile")
	if conclusion, _ := reconcile.Attributes().Get("sluice.conclusion"); !strings.HasPrefix(conclusion.Str(), "ran") {
		t.Errorf("the conclusion is %q", conclusion.Str())
	}
	looks := all.within(reconcile)
	if len(looks) == 0 {
		t.Error("no look-up is within the reconciliation's span")
	}
	for _, s := range looks {
		if s.Kind() != ptrace.SpanKindClient {
			t.Errorf("%q within the reconciliation is a %v", s.Name(), s.Kind())
		}
	}
}

// After a crash the command goes on in the same trace, also if the event names none.
func TestTraceGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fault(`{"kind": "hang", "vendor": "volcengine", "action": "DescribeDBInstanceDetail"}`)
	done := make(chan []result, 1)
	go func() {
		done <- r.send(append([]string{"restart", "redis-crash", "--token", "crash", "--source", "/judge"}, volcengine...)...)
	}()
	// The look-up hangs, and what came before it has been sent.
	r.eventually("the first spans", func() bool { return strings.Contains(r.everything(), `"name":"pace"`) })
	r.kill()
	r.delete(r.clouds + "/_emulator/faults")
	r.start()
	results := <-done
	r.stop()
	last := results[len(results)-1]
	sum := sha256.Sum256([]byte(last.Data.Command.Source + "\n" + last.Data.Command.ID))
	processes := r.byProcess(hex.EncodeToString(sum[:16]))
	if len(processes) != 2 {
		t.Errorf("%d processes have spans in the event's own trace, not 2", len(processes))
	}
	ended := 0
	for _, all := range processes {
		// Of the one that was killed only what had ended by then is known.
		if len(all.named("process ")) == 0 {
			all.one(t, "queue")
			continue
		}
		ended++
		all.connected(t, "")
		want(t, all.one(t, "process "), map[string]any{"sluice.status": "succeeded"})
		if len(all.named("publish ")) == 0 {
			t.Errorf("no result has a span: %v", all.names())
		}
	}
	if ended != 1 {
		t.Errorf("%d deliveries have ended spans, not 1", ended)
	}
	if last.Traceparent != "" {
		t.Errorf("the publisher gave no traceparent, and the result has %q", last.Traceparent)
	}
}

// What went in as a secret is in no span and no line of the log.
func TestNoSecretInTraces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fault(`{"kind": "error_before", "vendor": "tencent-crs", "action": "ClearRedis", "instance": "crs-echo", "code": "10712",
		"message": "password ` + password + ` is wrong for ` + key + `"}`)
	crs := []string{"--vendor", "tencent-crs", "--account", "crs", "--region", "gz", "--password-ref", "pw", "--traceparent", traceparent}
	for _, instance := range []string{"crs-one", "crs-echo", "crs-missing"} {
		r.send(append([]string{"flush", instance, "--token", instance}, crs...)...)
	}
	r.send(append([]string{"flush", "crs-dry", "--dry-run"}, crs...)...)
	r.stop()
	if n := len(r.trace(traceID).named("ClearRedis")); n < 2 {
		t.Errorf("%d calls with the password have spans, not 2", n)
	}
	text := r.everything() + r.log.String()
	for _, secret := range []string{password, header, key} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows in a span or in the log", secret)
		}
	}
}
