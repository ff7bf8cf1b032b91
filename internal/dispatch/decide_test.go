package dispatch

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// The documented table is the decision table: each row is asked of decide.
func TestDecideIsTheDocumentedTable(t *testing.T) {
	seen := map[vendors.Kind]bool{}
	for _, row := range outcomeRows() {
		seen[row.situation.Kind] = true
		if got := decide(row.situation); got != row.step {
			t.Errorf("%s, %s: decide says %s, the table %s", row.Answer, row.When, got, row.step)
		}
		if row.situation.Kind.String() != row.Answer {
			t.Errorf("row %q stands for %s", row.Answer, row.situation.Kind)
		}
	}
	for k := vendors.Done; k <= vendors.Withheld; k++ {
		if !seen[k] {
			t.Errorf("no row for %s", k)
		}
	}
}

// Whatever is unknown must be looked into, never sent again.
func TestUnknownAnswersAreReconciled(t *testing.T) {
	if got := decide(situation{Kind: vendors.Kind(99)}); got != stepReconcile {
		t.Errorf("an unknown class leads to %s", got)
	}
}
