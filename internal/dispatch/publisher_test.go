package dispatch

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// claimed is a message whose event names a publisher.
type claimed struct {
	broker.Message
	data   string
	header broker.Header
}

func (c claimed) Data() []byte          { return []byte(c.data) }
func (c claimed) Header() broker.Header { return c.header }

func TestPublisherNeedsProof(t *testing.T) {
	t.Parallel()
	yes := func(events.Envelope, broker.Header, []byte) bool { return true }
	no := func(events.Envelope, broker.Header, []byte) bool { return false }
	named := events.Envelope{Extensions: map[string]string{events.ExtensionPublisher: "fleet"}}
	for name, c := range map[string]struct {
		env    events.Envelope
		proven proof
		want   string
	}{
		"proven":          {named, yes, "fleet"},
		"not proven":      {named, no, ""},
		"nobody to ask":   {named, nil, ""},
		"no name":         {events.Envelope{}, yes, ""},
		"other extension": {events.Envelope{Extensions: map[string]string{"publisher": "fleet"}}, yes, ""},
	} {
		if got := publisherOf(c.env, claimed{}, c.proven); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
