// Command consumer is Sluice: it takes commands for managed Redis instances from
// NATS JetStream and carries each one out against the cloud that owns it, once,
// in time, inside the vendor's API quota, and with an answer.
//
// This package is flags, wiring, signals and exit codes; a file per subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-7b870224/sluice/internal/config"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once, as everybody expects.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], std{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// std are the standard streams, replaced in tests.
type std struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a mistake in flags, arguments or configuration: exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errSilent fails the command without another line: the output says it already.
var errSilent = errors.New("failed")

// run is the program without its process: it returns the exit code.
func run(ctx context.Context, args []string, s std) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var mistakes config.Errors
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errSilent):
		return exitFailure
	case errors.As(err, &mistakes):
		fmt.Fprintln(s.err, mistakes.Error())
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintln(s.err, "Error:", err)
		return exitUsage
	}
	fmt.Fprintln(s.err, "Error:", err)
	return exitFailure
}
