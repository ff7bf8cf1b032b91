package events

import (
	"encoding/json"
	"testing"

	"github.com/seed-7b870224/sluice/schemas"
)

// A pattern is no answer for a person; each has words.
func TestPatternsHaveWords(t *testing.T) {
	t.Parallel()
	found := 0
	var walk func(node any)
	walk = func(node any) {
		fields, _ := node.(map[string]any)
		if pattern, ok := fields["pattern"].(string); ok {
			found++
			if patternWords[pattern] == "" {
				t.Errorf("pattern %s has no words", pattern)
			}
		}
		for _, inner := range fields {
			walk(inner)
		}
	}
	for _, op := range Operations() {
		raw, err := schemas.FS.ReadFile(commandSchema(op))
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		walk(doc)
	}
	if found < len(Operations()) {
		t.Errorf("only %d patterns found", found)
	}
}
