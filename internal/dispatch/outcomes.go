package dispatch

import (
	"fmt"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// outcomeRow is one row of the documented table: a situation and what follows.
type outcomeRow struct {
	Answer, When, Next string
	situation          situation
	step               step
}

// outcomeRows is the decision table as people read it; a test compares each row
// with decide.
func outcomeRows() []outcomeRow {
	const tries = 8
	live := func(k vendors.Kind) situation { return situation{Kind: k, Tries: 1, MaxTries: tries, Sent: true} }
	with := func(k vendors.Kind, change func(*situation)) situation { s := live(k); change(&s); return s }
	expired := func(s *situation) { s.Expired = true }
	unsent := func(s *situation) { s.Expired, s.Sent = true, false }
	return []outcomeRow{
		{"done", "", "`succeeded`", live(vendors.Done), stepSucceed},
		{"accepted", "", "`accepted`, followed by polling to `succeeded`, `failed` or `indeterminate` (`track_timeout`)", live(vendors.Accepted), stepFollow},
		{"throttled", "", "waits for the slowed limiter; spends no attempt", live(vendors.Throttled), stepThrottle},
		{"throttled", "expired, nothing sent", "`expired`", with(vendors.Throttled, unsent), stepExpire},
		{"throttled", "expired, sent before", "`failed` (`quota_exhausted`)", with(vendors.Throttled, expired), stepFail},
		{"transient", "attempts left", "again after a backoff with full jitter", live(vendors.Transient), stepRetry},
		{"transient", "attempts used up", "`failed` (`vendor_unavailable`)", with(vendors.Transient, func(s *situation) { s.Tries = tries }), stepFail},
		{"transient", "expired, nothing sent", "`expired`", with(vendors.Transient, unsent), stepExpire},
		{"transient", "expired, sent before", "`failed` (`vendor_unavailable`)", with(vendors.Transient, expired), stepFail},
		{"busy", "", "waits until the instance may be free", live(vendors.Busy), stepWait},
		{"busy", "expired", "`failed` (`instance_busy`)", with(vendors.Busy, expired), stepFail},
		{"refused", "", "`failed`, with the reason", live(vendors.Refused), stepFail},
		{"unauthorized", "first time", "the breaker opens; again when a probe has succeeded", live(vendors.Unauthorized), stepHold},
		{"unauthorized", "again, though a probe has succeeded since", "`failed` (`unauthorized`)", with(vendors.Unauthorized, func(s *situation) { s.Repeated = true }), stepFail},
		{"unauthorized", "expired, nothing sent", "`expired`", with(vendors.Unauthorized, unsent), stepExpire},
		{"unexplained", "", "again in a call of its own, to learn the reason", live(vendors.Unexplained), stepAlone},
		{"unexplained", "expired", "`failed` (`vendor_refused`)", with(vendors.Unexplained, expired), stepFail},
		{"ambiguous", "", "look-ups only: `succeeded` or `failed` by proof, again if shown not to have run, else `indeterminate` (`outcome_unknown`)", live(vendors.Ambiguous), stepReconcile},
		{"withheld", "our lease or ledger said no", "nothing was sent; the account's owner goes on", live(vendors.Withheld), stepAbandon},
	}
}

// OutcomeTable is the decision table as a document.
func OutcomeTable() string {
	var b strings.Builder
	b.WriteString("# What follows from a vendor's answer\n\nGenerated from the engine's decision table; do not edit.\n\n| answer | when | what follows |\n| --- | --- | --- |\n")
	for _, r := range outcomeRows() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.Answer, r.When, r.Next)
	}
	return b.String()
}
