package intake

import (
	"context"
	"errors"
	"strings"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// switchable is a broker that, while it is away, takes no command but those on redis-1
// with the token t-1.
type switchable struct {
	Publisher
	away *bool
}

func (s switchable) Publish(ctx context.Context, m broker.Outgoing) error {
	if *s.away && !strings.Contains(string(m.Data), `"t-1"`) {
		return errors.New("the broker is away")
	}
	return s.Publisher.Publish(context.WithoutCancel(ctx), m)
}
