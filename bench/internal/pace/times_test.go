package pace

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// at makes moments of milliseconds.
func at(ms ...int) (t Times) {
	for _, n := range ms {
		t = append(t, moment(n))
	}
	return t
}

func moment(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// every makes n moments so many milliseconds apart.
func every(ms, n int) (t Times) {
	for i := range n {
		t = append(t, moment(i*ms))
	}
	return t
}

func TestMost(t *testing.T) {
	for _, tc := range []struct {
		name  string
		times Times
		want  int
	}{
		{"none", nil, 0},
		{"one", at(5), 1},
		{"a second apart", at(0, 1000, 2000), 1},
		{"just within", at(0, 999, 1000), 2},
		{"twenty a second", every(50, 100), 20},
		{"one early", at(0, 400, 800, 990, 1600), 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.times.Most(time.Second); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestPerSecond(t *testing.T) {
	for _, tc := range []struct {
		times Times
		want  float64
	}{{nil, 0}, {at(7), 0}, {at(7, 7), 0}, {at(0, 1000), 1}, {every(50, 41), 20}} {
		if got := tc.times.PerSecond(); got != tc.want {
			t.Errorf("%d calls: got %v a second, want %v", len(tc.times), got, tc.want)
		}
	}
}

func TestPace(t *testing.T) {
	for _, tc := range []struct {
		name     string
		times    Times
		from, to int
		want     float64
	}{
		{"none", nil, 0, 1000, 0},
		{"even", every(50, 101), 0, 5001, 20},
		{"edges between two do not matter", every(50, 101), 26, 4974, 20},
		{"a pause at the end counts", every(50, 101), 0, 10000, 10},
		{"and at the beginning", every(50, 101), -5000, 5001, 10},
		{"and in the middle", append(every(50, 21), at(2000, 2050, 2100)...), 0, 2101, 23 / 2.1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.times.Pace(moment(tc.from), moment(tc.to), 20); math.Abs(got-tc.want) > 0.001 {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestGap(t *testing.T) {
	times := at(0, 100, 200, 900, 1000, 9000)
	for _, tc := range []struct {
		around, within, want int
	}{
		{250, 500, 700},   // the pause that spans it
		{150, 100, 700},   // and one that begins soon after
		{950, 10, 100},    // not one that was over
		{950, 5000, 8000}, // and a later one if it is near
		{9500, 1000, 0},   // nothing came after it
		{250, 100000, 8000} /* the longest of several */} {
		if got := times.Gap(moment(tc.around), time.Duration(tc.within)*time.Millisecond); got != time.Duration(tc.want)*time.Millisecond {
			t.Errorf("around %d within %d: got %s, want %d ms", tc.around, tc.within, got, tc.want)
		}
	}
}

func TestFirst(t *testing.T) {
	slow, fast := every(100, 20), every(10, 200)
	for i := range fast {
		fast[i] = fast[i].Add(5 * time.Second)
	}
	times := append(slow, fast...)
	got, ok := times.First(moment(0), time.Second, 90)
	if !ok || got != moment(5000) {
		t.Errorf("fast from %v (%v), want %v", got, ok, moment(5000))
	}
	if got, ok := times.First(moment(0), time.Second, 101); ok {
		t.Errorf("faster than it ever was at %v", got)
	}
}

func TestCalm(t *testing.T) {
	times := append(every(10, 100), at(1500, 2000)...) // 100 a second, then two
	for _, tc := range []struct{ from, most, want int }{
		{1000, 100, 1000},
		{1000, 30, 1700}, // all but 29 of the burst have left, and one came later
		{1000, 60, 1390},
		{1000, 1, 1990},
	} {
		got := times.Calm(moment(tc.from), time.Second, tc.most)
		if d := got.Sub(moment(tc.want)); d < 0 || d > time.Millisecond {
			t.Errorf("at most %d: calm at %v, want %v", tc.most, got, moment(tc.want))
		}
		if n := len(times.Between(got.Add(-time.Second), got)); n > tc.most {
			t.Errorf("at most %d: the second before holds %d", tc.most, n)
		}
	}
}

func TestTrailing(t *testing.T) {
	points := at(0, 100, 1050, 3000).Trailing(moment(0), moment(4000), time.Second)
	if got, want := fmt.Sprint(points), "[{0 2} {1 2} {2 0} {3 1}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTrailingIsNeverBelowWhatWasInASecond(t *testing.T) {
	times := at(0, 300, 350, 360, 370, 1290, 1310, 2000, 2500, 2600)
	most := 0.0
	for _, p := range times.Trailing(moment(0), moment(4000), 70*time.Millisecond) {
		most = max(most, p.Y)
	}
	if want := times.Most(time.Second); int(most) != want {
		t.Errorf("the plot shows at most %v, the calls say %d", most, want)
	}
}

func TestTimesOf(t *testing.T) {
	calls := []emulator.Call{{Time: moment(20), Outcome: "ok"}, {Time: moment(10), Outcome: "ok"}, {Time: moment(30), Outcome: "throttled"}}
	got := TimesOf(calls, func(c emulator.Call) bool { return c.Outcome == "ok" })
	if len(got) != 2 || got[0] != moment(10) || got[1] != moment(20) {
		t.Errorf("got %v", got)
	}
	if all := TimesOf(calls, nil); len(all) != 3 {
		t.Errorf("got %d of all, want 3", len(all))
	}
}
