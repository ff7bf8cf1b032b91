package rig

import "time"

// Recovery is how long it took from a moment to the first final result after it;
// zero if there is none.
func Recovery(results []Result, from time.Time) time.Duration {
	var first time.Duration
	for _, r := range results {
		if d := r.Stored.Sub(from); r.Data.Final && d > 0 && (first == 0 || d < first) {
			first = d
		}
	}
	return first
}
