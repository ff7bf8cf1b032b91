// Package telemetry sets up logs, metrics and the HTTP listener that shows them.
// What is logged and counted is decided where it happens.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger makes the program's logger. Level is debug, info, warn or error,
// format text or json.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: use debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return nil, fmt.Errorf("log format %q: use text or json", format)
}
