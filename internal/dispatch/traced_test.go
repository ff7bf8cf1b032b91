package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// spanLog is a Tracer that keeps what it is told.
type spanLog struct {
	mu    sync.Mutex
	spans []*loggedSpan
}

type loggedSpan struct {
	log          *spanLog
	parent       *loggedSpan
	trace, name  string
	kind         SpanKind
	began, ended time.Time
	set          map[string]string
	failed       string
	links        []*loggedSpan
	ends         int
}

func (l *spanLog) Begin(parent events.Trace, seed, name string, at time.Time) Span {
	if parent.State == "dropped" {
		return nil
	}
	id := parent.ID()
	if id == "" {
		id = "seed " + seed
	}
	return l.add(&loggedSpan{trace: id, name: name, kind: -1, began: at})
}

func (l *spanLog) add(s *loggedSpan) *loggedSpan {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.log, s.set = l, map[string]string{}
	l.spans = append(l.spans, s)
	return s
}

func (s *loggedSpan) Child(kind SpanKind, name string, at time.Time) Span {
	return s.log.add(&loggedSpan{parent: s, trace: s.trace, name: name, kind: kind, began: at})
}

func (s *loggedSpan) Set(attributes ...slog.Attr) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	for _, a := range attributes {
		s.set[a.Key] = a.Value.String()
	}
}

func (s *loggedSpan) Link(other Span) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.links = append(s.links, other.(*loggedSpan))
}

func (s *loggedSpan) Fail(why string) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.failed = why
}

func (s *loggedSpan) End(at time.Time) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if s.ends++; s.ends == 1 {
		s.ended = at
	}
}

func (s *loggedSpan) IDs() (trace, span string) { return s.trace, s.name }

// path is the name of the span behind those it is within, of which the delivery's is
// called process.
func (s *loggedSpan) path() string {
	if s.parent == nil {
		return "process"
	}
	name, _, _ := strings.Cut(s.name, " ")
	return s.parent.path() + "/" + name
}

// paths are the spans of a trace, each once, in the order of their beginning.
func (l *spanLog) paths(trace string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	spans := slices.Clone(l.spans)
	slices.SortStableFunc(spans, func(a, b *loggedSpan) int { return a.began.Compare(b.began) })
	var out []string
	for _, s := range spans {
		if p := s.path(); s.trace == trace && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// one is the only span with the path in a trace.
func (l *spanLog) one(t *testing.T, trace, path string) *loggedSpan {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []*loggedSpan
	for _, s := range l.spans {
		if s.trace == trace && s.path() == path {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans %s in trace %s, not 1", len(found), path, trace)
	}
	return found[0]
}

// open are the spans that have not ended.
func (l *spanLog) open() (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.spans {
		if s.ends == 0 {
			out = append(out, s.path())
		}
	}
	return out
}

const (
	tracedID = "4bf92f3577b34da6a3ce929d0e0e4736"
	parented = "00-" + tracedID + "-00f067aa0ba902b7-01"
)

// exchanging makes the simulated cloud tell of its requests as an adapter's wire does.
func exchanging(s *sim) {
	s.vendor.exchange = func(ctx context.Context, status int) {
		if w := vendors.Watched(ctx); w != nil {
			w(vendors.Exchange{Method: "POST", Host: "sim.example:443", Began: time.Now(), Ended: time.Now(), Status: status})
		}
	}
}

// A command's stages are spans of one tree in the publisher's trace.
func TestSpansOfACommand(t *testing.T) {
	simulate(t, func(s *sim) {
		l, reg := &spanLog{}, prometheus.NewRegistry()
		s.tracer, s.metrics = l, NewMetrics(reg)
		exchanging(s)
		s.vendor.execute = func(r vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{ID: "t1", Operation: r.Operation, InstanceID: r.InstanceID}}
		}
		stop := s.start("a")
		s.wait(5 * time.Second)
		s.send("x", attr("traceparent", parented))
		s.wait(time.Minute)
		stop()
		if got := s.final("x").Status; got != events.Succeeded {
			t.Fatalf("the command ended as %s", got)
		}
		want := []string{"process", "process/queue", "process/attempt", "process/attempt/Look", "process/attempt/claim", "process/attempt/pace", "process/attempt/permit",
			"process/attempt/Restart", "process/publish", "process/track", "process/settle"}
		got := l.paths(tracedID)
		slices.Sort(got)
		slices.Sort(want) // several begin at the same moment of virtual time
		if !slices.Equal(got, want) {
			t.Errorf("spans\n  %s\nnot\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
		if open := l.open(); len(open) > 0 {
			t.Errorf("never ended: %v", open)
		}
		process := l.one(t, tracedID, "process")
		for key, value := range map[string]string{
			"messaging.system": "nats", "messaging.operation.type": "process", "messaging.message.id": "x",
			"messaging.destination.name":     restartLane,
			"messaging.destination.template": "sluice.commands.{vendor}.{account}.{region}.{operation}.{priority}",
			"messaging.consumer.group.name":  "simcloud_prod_r1_restart_normal",
			"sluice.vendor":                  "simcloud", "sluice.account": "prod", "sluice.region": "r1", "sluice.operation": "restart",
			"sluice.priority": "normal", "sluice.instance_id": "i-x", "sluice.token_key": events.TokenKey("tok-x"), "sluice.status": "succeeded",
		} {
			if process.set[key] != value {
				t.Errorf("%s is %q, not %q", key, process.set[key], value)
			}
		}
		call := l.one(t, tracedID, "process/attempt/Restart")
		if call.kind != SpanClient || call.set["http.request.method"] != "POST" || call.set["server.address"] != "sim.example" ||
			call.set["http.response.status_code"] != "200" || call.set["sluice.action"] != "Restart" || call.set["sluice.verdict"] != "accepted" {
			t.Errorf("the call's span: %v", call.set)
		}
		if track := l.one(t, tracedID, "process/track"); track.set["sluice.task_id"] != "t1" || !track.ended.After(track.began) {
			t.Errorf("the tracking's span: %+v", track)
		}
		for _, stage := range []string{stageQueued, stagePaced, stageVendor, stageTracked} {
			if got := example(t, reg, stage); got != tracedID {
				t.Errorf("the example of stage %s is trace %q", stage, got)
			}
		}
	})
}

// example is the trace that a stage's histogram gives as an example.
func example(t *testing.T, reg *prometheus.Registry, stage string) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "sluice_command_stage_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, b := range m.GetHistogram().GetBucket() {
				if e := b.GetExemplar(); m.GetLabel()[0].GetValue() == stage && e != nil {
					return e.GetLabel()[0].GetValue()
				}
			}
		}
	}
	return ""
}

// A redelivery goes on in the same trace, also if the event names none.
func TestSpansGoOnAfterACrash(t *testing.T) {
	simulate(t, func(s *sim) {
		l := &spanLog{}
		s.tracer = l
		s.vendor.poll = func(task vendors.Task) vendors.Progress { return vendors.Progress{State: vendors.Running, Task: task} }
		s.vendor.execute = func(r vendors.Request) vendors.Verdict {
			return vendors.Verdict{Kind: vendors.Accepted, Task: vendors.Task{ID: "t1", Operation: r.Operation, InstanceID: r.InstanceID}}
		}
		stop := s.start("a")
		s.wait(5 * time.Second)
		s.send("x")
		s.wait(time.Minute)
		stop()
		s.vendor.poll = nil
		defer s.start("b")()
		s.wait(time.Minute)
		_ = s.final("x")
		const trace = "seed /test\nx"
		var deliveries, tracks int
		for _, sp := range l.spans {
			if sp.trace != trace {
				t.Errorf("span %s is in trace %q", sp.path(), sp.trace)
			}
			switch sp.path() {
			case "process":
				deliveries++
			case "process/track":
				tracks++
			}
		}
		if deliveries != 2 || tracks != 2 {
			t.Errorf("%d deliveries and %d trackings have spans, not 2 and 2", deliveries, tracks)
		}
	})
}

// What is refused, and what is said again, has its result's span too; a trace that is
// not kept has none.
func TestSpansOfAnswers(t *testing.T) {
	simulate(t, func(s *sim) {
		l := &spanLog{}
		s.tracer = l
		defer s.start("a")()
		s.wait(5 * time.Second)
		s.send("first")
		s.wait(10 * time.Second)
		s.send("again", data("clientToken", "tok-first"), data("instanceId", "i-first"))
		s.send("reused", data("clientToken", "tok-first"))
		s.send("bad", data("nonsense", true))
		s.send("dry", data("dryRun", true))
		s.send("unkept", attr("traceparent", parented), attr("tracestate", "dropped"))
		s.wait(time.Minute)
		for id, want := range map[string]string{"first": "succeeded", "again": "succeeded", "reused": "rejected", "bad": "rejected", "dry": "succeeded"} {
			span := l.one(t, "seed /test\n"+id, "process/publish")
			if span.kind != SpanProducer || span.set["sluice.status"] != want {
				t.Errorf("%s: the result's span says %v", id, span.set)
			}
		}
		if got := l.paths(tracedID); len(got) > 0 {
			t.Errorf("a trace that is not kept has %v", got)
		}
		_ = s.final("unkept")
		if open := l.open(); len(open) > 0 {
			t.Errorf("never ended: %v", open)
		}
	})
}

// A call for many has one span, in the trace of the first, which names the others.
func TestSpansOfACallForMany(t *testing.T) {
	simulateMany(t, func(s *sim, v *simMany) {
		l := &spanLog{}
		s.tracer = l
		exchanging(s)
		defer s.start("a")()
		s.wait(5 * time.Second)
		s.sendBulk(10)
		s.wait(time.Minute)
		l.mu.Lock()
		defer l.mu.Unlock()
		commands := map[string]bool{}
		for _, sp := range l.spans {
			if sp.kind != SpanClient || sp.name != "Restart" {
				continue
			}
			commands[sp.trace] = true
			for _, other := range sp.links {
				commands[other.trace] = true
			}
			if n := len(sp.links) + 1; n > 1 && sp.set["sluice.commands"] != fmt.Sprint(n) {
				t.Errorf("a call for %d says that it is for %q", n, sp.set["sluice.commands"])
			}
		}
		if len(commands) != 10 {
			t.Errorf("the spans of calls name %d commands, not 10", len(commands))
		}
	})
}
