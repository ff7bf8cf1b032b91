package collector

import (
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// spans are those of one trace.
type spans []ptrace.Span

// trace collects what has arrived of a trace, by its id in hexadecimal digits.
func (r *rig) trace(id string) (out spans) {
	for _, of := range r.byProcess(id) {
		out = append(out, of...)
	}
	return out
}

// byProcess is trace apart for each process that has a part in it.
func (r *rig) byProcess(id string) map[string]spans {
	out := map[string]spans{}
	for _, batch := range r.sink.AllTraces() {
		for _, rs := range batch.ResourceSpans().All() {
			process, _ := rs.Resource().Attributes().Get("service.instance.id")
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					if s.TraceID().String() == id {
						out[process.Str()] = append(out[process.Str()], s)
					}
				}
			}
		}
	}
	return out
}

// everything is all that has arrived, as text.
func (r *rig) everything() string {
	r.t.Helper()
	var b strings.Builder
	for _, batch := range r.sink.AllTraces() {
		raw, err := (&ptrace.JSONMarshaler{}).MarshalTraces(batch)
		if err != nil {
			r.t.Fatal(err)
		}
		b.Write(raw)
	}
	return b.String()
}

// named are the spans whose name begins so.
func (all spans) named(name string) (out spans) {
	for _, s := range all {
		if strings.HasPrefix(s.Name(), name) {
			out = append(out, s)
		}
	}
	return out
}

// one is the only span whose name begins so.
func (all spans) one(t *testing.T, name string) ptrace.Span {
	t.Helper()
	found := all.named(name)
	if len(found) != 1 {
		t.Fatalf("%d spans %q, not 1; there are %v", len(found), name, all.names())
	}
	return found[0]
}

func (all spans) names() (out []string) {
	for _, s := range all {
		out = append(out, s.Name())
	}
	slices.Sort(out)
	return out
}

// within are the spans directly within another.
func (all spans) within(parent ptrace.Span) (out spans) {
	for _, s := range all {
		if s.ParentSpanID() == parent.SpanID() {
			out = append(out, s)
		}
	}
	return out
}

// connected demands that every span is within one of the trace, but for the roots,
// which are within the publisher's.
func (all spans) connected(t *testing.T, publisher string) {
	t.Helper()
	for _, s := range all {
		known := slices.ContainsFunc(all, func(p ptrace.Span) bool { return p.SpanID() == s.ParentSpanID() })
		root := strings.HasPrefix(s.Name(), "process ") && s.ParentSpanID().String() == publisher
		if !known && !root {
			t.Errorf("span %q is within %s, which is nowhere", s.Name(), s.ParentSpanID())
		}
	}
}

// want compares attributes.
func want(t *testing.T, s ptrace.Span, attributes map[string]any) {
	t.Helper()
	for key, value := range attributes {
		got, ok := s.Attributes().Get(key)
		if !ok || got.AsRaw() != value {
			t.Errorf("span %q: %s is %v, not %v", s.Name(), key, got.AsRaw(), value)
		}
	}
}
