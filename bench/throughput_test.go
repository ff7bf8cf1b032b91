package main

import "testing"

// A tenth of the backlog repeats the token of an earlier command, and no two
// commands are the same event: what the scenarios count on.
func TestBacklogHasATenthOfDuplicates(t *testing.T) {
	const count = 2_000
	command := backlog(count)
	instances, events := map[string]string{}, map[string]bool{}
	duplicates := 0
	for i := range count {
		c := command(i)
		if events[c.ID] {
			t.Fatalf("event %s comes twice", c.ID)
		}
		events[c.ID] = true
		known, ok := instances[c.Token]
		if ok {
			duplicates++
			if known != c.Instance {
				t.Fatalf("token %s names %s and %s", c.Token, known, c.Instance)
			}
		}
		instances[c.Token] = c.Instance
	}
	if duplicates != count/10 {
		t.Errorf("%d duplicates among %d, want %d", duplicates, count, count/10)
	}
}
