package vendors

import (
	"context"
	"time"
)

// Exchange is one HTTP request as it was made, without anything it carried.
type Exchange struct {
	Method, Host string
	Began, Ended time.Time
	// Status is that of the answer; 0 if there was none.
	Status int
	// Err says why there is no complete answer.
	Err error
}

type watchKey struct{}

// Watch gives a context under which f is told of every request that an adapter makes,
// once it is over.
func Watch(ctx context.Context, f func(Exchange)) context.Context {
	return context.WithValue(ctx, watchKey{}, f)
}

// Watched is who is told of the requests made under ctx; nil for nobody.
func Watched(ctx context.Context) func(Exchange) {
	f, _ := ctx.Value(watchKey{}).(func(Exchange))
	return f
}
