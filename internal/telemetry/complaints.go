package telemetry

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// complainEvery is how often it is said that traces cannot be sent.
const complainEvery = 5 * time.Minute

// complaints is told of every batch of spans that could not be sent and says so now
// and then.
type complaints struct {
	log     *slog.Logger
	secrets []string

	mu         sync.Mutex
	last       time.Time
	suppressed int
}

// Handle is called by the SDK, from any goroutine.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.last.IsZero() || now.Sub(c.last) >= complainEvery {
		c.log.Warn("traces are not taken; they are dropped, the work goes on", "error", c.clean(err.Error()), "more", c.suppressed)
		c.last, c.suppressed = now, 0
		return
	}
	c.suppressed++
}

// clean cuts secrets and length from an error: a collector may repeat what it was sent.
func (c *complaints) clean(text string) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}

// messagesOnly passes on the errors of the SDK's own log, and of their attributes only
// which file it is about.
type messagesOnly struct{ to slog.Handler }

// Enabled lets errors pass.
func (h messagesOnly) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

// Handle writes what happened, without the values.
func (h messagesOnly) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, slog.LevelWarn, "OpenTelemetry: "+r.Message, 0)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "file" {
			out.AddAttrs(a)
		}
		return true
	})
	if !h.to.Enabled(ctx, slog.LevelWarn) {
		return nil
	}
	return h.to.Handle(ctx, out)
}

// WithAttrs drops attributes.
func (h messagesOnly) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup drops groups.
func (h messagesOnly) WithGroup(string) slog.Handler { return h }
