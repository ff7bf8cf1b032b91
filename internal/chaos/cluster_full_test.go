package chaos

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/chaos/rig"
)

// TestFull brings one stream after the other to its own limit under load. What is
// stored stays, nothing is sent without the ledger, the log names the stream, and
// once there is room everything is answered.
func TestFull(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stream, fault string
		short               bool
	}{
		{"ledger", "KV_?_ledger", "the ledger's stream full", true},
		{"results", "%_RESULTS", "the results' stream full, refusing new ones", false},
		{"commands", "%_COMMANDS", "the commands' stream full", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !tt.short && !rig.Full() {
				t.Skip("only with -chaos.full")
			}
			reserve(t, oneServer+consumersOf)
			url := rig.StartNodes(t, rig.NodesOptions{Count: oneServer}).URL()
			s := newScene(t, "full"+tt.name, rig.Config{}, []string{url, url}, url)
			stream := s.stream(tt.stream)
			said := func() int { return s.lines("level=ERROR", stream) }
			if tt.name == "commands" {
				said = func() int { return s.complaints(stream, broker.ErrFull) }
			}
			for range times(1, 3) {
				s.untilMore("errors that name "+stream, said, func() {
					s.fault(func() { s.limit(stream, true) })
				})
				s.rest(sceneLease)
				s.limit(stream, false)
				s.flows()
			}
			s.settle(tt.fault)
		})
	}
}

// limit bounds a stream to what it holds now, or lifts the bound.
func (s *scene) limit(name string, on bool) {
	s.t.Helper()
	js := rig.JetStream(s.t, s.broker)
	stream, err := js.Stream(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	cfg.MaxBytes = -1
	if on {
		cfg.MaxBytes = int64(max(stream.CachedInfo().State.Bytes, 1))
		cfg.Discard = jetstream.DiscardNew
	}
	if _, err := js.UpdateStream(s.t.Context(), cfg); err != nil {
		s.t.Fatal(err)
	}
}

// untilMore does something and waits until there is more of what is counted.
func (s *scene) untilMore(what string, count func() int, do func()) {
	s.t.Helper()
	before := count()
	do()
	rig.Eventually(s.t, what, func() bool { return count() > before })
}

// lines counts what the consumers have logged with all the words.
func (s *scene) lines(words ...string) int {
	n := 0
	for _, c := range s.consumers {
		n += len(c.LogLines(words...))
	}
	return n
}

// complaints counts the publisher's errors of a kind that name a stream.
func (s *scene) complaints(stream string, kind error) int {
	n := 0
	for _, err := range s.publisher.Errors() {
		if errors.Is(err, kind) && strings.Contains(err.Error(), stream) {
			n++
		}
	}
	return n
}
