package rig

import (
	"context"
	"io"
)

// bounded is a body whose request's time ends with it.
type bounded struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close closes the body and frees the request's timer.
func (b *bounded) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
