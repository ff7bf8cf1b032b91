package dispatch

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// NewChecker returns the rules that commands are checked against, for validation
// without a broker. A nil answer means that the command may run.
func NewChecker(accounts []Account, secrets Secrets, allowPlaintext bool) func(events.Command, time.Time) *events.Refusal {
	r := newRules(Options{Accounts: accounts, Secrets: secrets, AllowPlaintext: allowPlaintext})
	return r.check
}
