package pace

import (
	"slices"
	"time"

	"github.com/seed-7b870224/sluice/bench/internal/plot"
	"github.com/seed-7b870224/sluice/internal/emulator"
)

// Times are moments in order.
type Times []time.Time

// TimesOf are the moments of the calls that are wanted; nil wants all.
func TimesOf(calls []emulator.Call, want func(emulator.Call) bool) Times {
	var out Times
	for _, c := range calls {
		if want == nil || want(c) {
			out = append(out, c.Time)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// Between are those from one moment to before another.
func (t Times) Between(from, to time.Time) Times { return t[t.before(from):t.before(to)] }

// before is how many came before a moment.
func (t Times) before(at time.Time) int {
	n, _ := slices.BinarySearchFunc(t, at, time.Time.Compare)
	return n
}

// Most is the most in any sliding span; two that are a whole span apart do not share
// one.
func (t Times) Most(span time.Duration) (most int) {
	first := 0
	for i := range t {
		for t[i].Sub(t[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// PerSecond is the pace from the first to the last: the distances between them, not
// the chance of where a span begins.
func (t Times) PerSecond() float64 {
	if len(t) < 2 || !t[len(t)-1].After(t[0]) {
		return 0
	}
	return float64(len(t)-1) / t[len(t)-1].Sub(t[0]).Seconds()
}

// Pace is the pace between two moments, where so many a second are expected. It is
// that from the first to the last, so that one more or less at the edges does not
// matter; but a pause at an edge counts.
func (t Times) Pace(from, to time.Time, expected float64) float64 {
	in := t.Between(from, to)
	if len(in) == 0 {
		return 0
	}
	// Even at half the pace one would have come within two distances.
	edge := time.Duration(2 / expected * float64(time.Second))
	if first := in[0]; first.Sub(from) <= edge {
		from = first
	}
	if last := in[len(in)-1]; to.Sub(last) <= edge {
		to = last
	}
	return float64(len(in)-1) / to.Sub(from).Seconds()
}

// Gap is the longest pause around a moment: between two calls of which the later
// came after it and the earlier within the given time of it.
func (t Times) Gap(around time.Time, within time.Duration) (longest time.Duration) {
	for i := 1; i < len(t); i++ {
		if t[i].After(around) && t[i-1].Before(around.Add(within)) {
			longest = max(longest, t[i].Sub(t[i-1]))
		}
	}
	return longest
}

// First is the first moment from which on a span holds at least so many; ok is
// false if there is none.
func (t Times) First(from time.Time, span time.Duration, atLeast int) (at time.Time, ok bool) {
	for i := t.before(from); i+atLeast-1 < len(t); i++ {
		if t[i+atLeast-1].Sub(t[i]) < span {
			return t[i], true
		}
	}
	return time.Time{}, false
}

// Calm is the first moment, from a given one on, before which a span held at most so
// many.
func (t Times) Calm(from time.Time, span time.Duration, atMost int) time.Time {
	for at := from; ; {
		in := t.Between(at.Add(-span), at)
		if len(in) <= atMost {
			return at
		}
		// It holds one fewer once the oldest of those too many has left it.
		at = in[len(in)-atMost-1].Add(span + 1)
	}
}

// Trailing shows how many calls the second before held, in steps: of each step the
// most. Seconds count from the start.
func (t Times) Trailing(start, to time.Time, step time.Duration) []plot.Point {
	var out []plot.Point
	for at := start; at.Before(to); at = at.Add(step) {
		end := at.Add(step)
		most := len(t.Between(end.Add(-time.Second), end))
		for i := t.before(at); i < t.before(end); i++ {
			most = max(most, i+1-t.before(t[i].Add(1-time.Second)))
		}
		out = append(out, plot.Point{X: at.Sub(start).Seconds(), Y: float64(most)})
	}
	return out
}
