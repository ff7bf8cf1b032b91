package turns

import (
	"fmt"
	"slices"
	"testing"
)

func TestTake(t *testing.T) {
	t.Parallel()
	var turns Turns
	for i, c := range []struct {
		names []string
		n     int
		want  []string
	}{
		{nil, 3, nil},
		{[]string{"c", "a", "b", "a"}, 2, []string{"a", "b"}},
		{[]string{"c", "a", "b"}, 0, nil},
		{[]string{"c", "a", "b"}, 2, []string{"c", "a"}},
		{[]string{"b", "c", "d"}, 5, []string{"b", "c", "d"}},
		{[]string{"b", "c"}, 1, []string{"b"}},
		{[]string{"a", "d"}, 1, []string{"d"}},
		{[]string{"a", "c"}, -1, nil},
	} {
		if got := turns.Take(c.names, c.n); !slices.Equal(got, c.want) {
			t.Errorf("call %d: %v, want %v", i, got, c.want)
		}
	}
}

// Whoever is never served goes on asking, and others come and go.
func TestEveryNameGetsItsTurn(t *testing.T) {
	t.Parallel()
	var turns Turns
	want := map[string]bool{}
	for i := range 100 {
		want[fmt.Sprintf("stays-%02d", i)] = true
	}
	for round := range 200 {
		var names []string
		for name := range want {
			names = append(names, name)
		}
		for i := range 100 {
			names = append(names, fmt.Sprintf("stays-%02d-comes-%d", i, round))
		}
		for _, name := range turns.Take(names, 5) {
			delete(want, name)
		}
	}
	if len(want) > 0 {
		t.Errorf("%d of 100 had no turn", len(want))
	}
}
