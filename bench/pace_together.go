package main

import (
	"errors"
	"slices"
	"sync"
)

// each does something n times at once and joins what went wrong.
func each(n int, do func(i int) error) error {
	faults := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { faults[i] = do(i) })
	}
	all.Wait()
	return errors.Join(faults...)
}

// flat puts the rows of several parts one after another.
func flat[T any](parts [][]T) []T { return slices.Concat(parts...) }
