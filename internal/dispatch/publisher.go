package dispatch

import (
	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// proof reports that an event was stored by the intake over HTTP.
type proof func(env events.Envelope, header broker.Header, data []byte) bool

// publisherOf is who sent a command over HTTP. Anybody who may publish can write the
// name into an event: without the intake's proof it is dropped.
func publisherOf(env events.Envelope, m broker.Message, proven proof) string {
	name := env.Extensions[events.ExtensionPublisher]
	if name == "" || proven == nil || !proven(env, m.Header(), m.Data()) {
		return ""
	}
	return name
}
