package vendors

import (
	"context"
	"time"
)

// Flight is told how one request fares on its way to the vendor, so that it can be known
// when at the latest it has arrived. It may be called from any goroutine.
type Flight interface {
	// Leaving says that the request goes to a connection, which may take a while.
	Leaving()
	// Left says that bytes of it were handed to the network at a time; a large request
	// leaves in several pieces.
	Left(at time.Time)
	// Over says that nothing more of it will leave. Answered is when its answer was
	// here, zero if there was none.
	Over(answered time.Time)
}

type flightKey struct{}

// WithFlight gives a context under which f is told of the request that an adapter makes.
func WithFlight(ctx context.Context, f Flight) context.Context {
	return context.WithValue(ctx, flightKey{}, f)
}

// FlightOf is who is told of the request made under ctx; nil for nobody.
func FlightOf(ctx context.Context) Flight {
	f, _ := ctx.Value(flightKey{}).(Flight)
	return f
}
