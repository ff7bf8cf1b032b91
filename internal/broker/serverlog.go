package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// serverLog writes the embedded server's log into ours and remembers its last
// fatal line, which is the only place where the server says why it did not start.
type serverLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	last string
}

func newServerLog(l *slog.Logger) *serverLog {
	if l == nil {
		l = slog.New(slog.DiscardHandler)
	}
	return &serverLog{log: l.With("component", "nats-server")}
}

// fatal is the error of a failed start.
func (l *serverLog) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return nil
	}
	return errors.New(l.last)
}

// Noticef takes the server's notices, which are of interest to debuggers only.
func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Warnf takes the server's warnings.
func (l *serverLog) Warnf(format string, v ...any) { l.log.Warn(fmt.Sprintf(format, v...)) }

// Errorf takes the server's errors.
func (l *serverLog) Errorf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }

// Fatalf takes the last words of a server that does not start. Unlike the
// server's own logger it does not end the process.
func (l *serverLog) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error(text)
	l.mu.Lock()
	l.last = text
	l.mu.Unlock()
}

// Debugf is never called: debugging is off in the embedded server.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef is never called: tracing is off in the embedded server.
func (l *serverLog) Tracef(string, ...any) {}
