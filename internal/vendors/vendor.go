// Package vendors is the port through which the engine reaches a cloud: what a
// vendor adapter must offer, and the words in which it answers.
//
// An adapter serves one account in one region. It starts no goroutine, keeps no
// global state, retries nothing and decides nothing about retries: it turns one
// question into exactly one HTTP request (package wire) and the answer into a
// [Verdict]. Limits, breakers, deadlines and records belong to the engine.
package vendors

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// Operation names what is done to an instance.
type Operation string

// The operations that Sluice knows. A vendor offers some of them.
const (
	Restart     Operation = "restart"
	SoftRestart Operation = "soft_restart"
	Flush       Operation = "flush"
	Restore     Operation = "restore"
)

// Vendor is one account at one cloud in one region.
//
// All methods may be called concurrently. They return when the answer is in, the
// context ends, or the per-call timeout passes; they never panic on any answer.
type Vendor interface {
	// Prepare makes the look-ups that must precede a mutation: whether the
	// instance exists and can take the work now, and the baseline with which
	// Reconcile later compares. The baseline is valid only if the verdict is
	// Done. Other verdicts: Refused (instance_not_found, backup_not_found,
	// instance_state, ...), Busy, Throttled, Transient, Unauthorized. Never
	// Ambiguous: a look-up has no effect.
	Prepare(ctx context.Context, req Request) (Baseline, Verdict)

	// Plan describes the mutation that Execute would send, with secrets masked.
	Plan(req Request) Plan

	// Execute sends the mutation as exactly one HTTP request. It signs first,
	// then calls commit with the time the signature carries, and sends only if
	// commit returns nil; commit's error comes back as a Withheld verdict.
	Execute(ctx context.Context, req Request, base Baseline, commit Commit) Verdict

	// Poll asks how accepted work is getting on, for many tasks in as few calls
	// as the API allows. The answer has one Progress per task, in order. A
	// look-up that failed leaves Progress.State at Unknown with the Verdict
	// that says why; the engine asks again.
	Poll(ctx context.Context, tasks []Task) []Progress

	// Reconcile looks for the truth about a mutation whose answer was lost.
	// Proof that it ran may be returned at once. NotRun may only be returned
	// when the intent's signature has lapsed (Intent.Lapsed) and the vendor's
	// records show that nothing ran. Everything else is Unclear.
	Reconcile(ctx context.Context, req Request, intent Intent) Finding

	// Probe makes one cheap read-only call, to learn whether the endpoint works
	// and takes our credentials. Done means healthy.
	Probe(ctx context.Context) Verdict
}

// Request is one command in the words of the port.
type Request struct {
	Operation  Operation
	InstanceID string
	// BackupID or TimePoint say what a restore goes back to.
	BackupID  string
	TimePoint time.Time
	// Password is the instance's own, where the vendor takes one.
	Password secret.Text
	// ClientToken is the command's token, for vendors that have a place for it.
	ClientToken string
	// Marker is unique to the command (not to the attempt), 1 to 64 characters
	// of [a-z0-9-], for vendors with a free-text field that a look-up returns.
	Marker string
	// Seen is what a survey has shown of the instance a moment ago, so that
	// Prepare need not look it up again; nil if there was none.
	Seen *Sighting
}

// Commit records the intent before a byte leaves. signedAt is the time in the
// signature.
type Commit func(ctx context.Context, signedAt time.Time) error

// Baseline is what an adapter read before a mutation, as JSON that only the same
// adapter understands. It is stored in the ledger, so it holds no secret.
type Baseline = json.RawMessage

// Plan is what a dry run shows.
type Plan struct {
	// Action is the vendor's name for the call, as in quotas.
	Action string `json:"action"`
	// Endpoint is method and URL.
	Endpoint string `json:"endpoint"`
	// Request is the body as a JSON object, secrets masked.
	Request map[string]any `json:"request"`
}

// Task is accepted work that is being followed. It is stored in the ledger.
type Task struct {
	// ID is the vendor's task id, empty where the vendor gives none or where it
	// was lost with the answer.
	ID         string    `json:"id,omitempty"`
	Operation  Operation `json:"operation"`
	InstanceID string    `json:"instanceId"`
	// AcceptedAt is when the vendor took the work, by our clock.
	AcceptedAt time.Time `json:"acceptedAt"`
	// State is the adapter's own memory between polls (whether the busy status
	// was seen, the row to look for).
	State json.RawMessage `json:"state,omitempty"`
}

// TaskState is how far accepted work is.
type TaskState int

// The states of accepted work.
const (
	Unknown   TaskState = iota // the look-up failed; see Progress.Verdict
	Running                    // still at it
	Succeeded                  // the vendor says that it is done
	Failed                     // the vendor says that it failed
)

// Progress is the answer to a poll of one task.
type Progress struct {
	State TaskState
	// Task is the task with the adapter's updated memory.
	Task Task
	// Verdict carries the vendor's words: of the failed work for Failed, of the
	// failed look-up for Unknown.
	Verdict Verdict
}

// Intent is what the ledger knows of a sent mutation.
type Intent struct {
	Baseline Baseline
	// SignedAt is the time in the signature of the request.
	SignedAt time.Time
	// Lapsed reports that the signature can no longer take effect: a frozen
	// copy of the request cannot land any more.
	Lapsed bool
	// LooksClear is how many look-ups in a row, all begun after the signature had
	// lapsed, found nothing, and ClearSince when the first of them began. Earlier
	// looks do not count: the request could still have been on its way.
	LooksClear int
	ClearSince time.Time
}

const (
	// looksNeeded before this one must have found nothing before nothing is taken
	// for an answer.
	looksNeeded = 2
	// defaultPatience is how long the absence must have lasted by then, where the
	// account does not say. No vendor documents how late a record may appear.
	defaultPatience = time.Minute
)

// AbsenceProves reports whether one more look that finds nothing shows that
// nothing ran: the request can take effect no more, and the absence has lasted
// for so many looks and so long that a record which appears late would be there.
// Zero patience is one minute.
func (i Intent) AbsenceProves(patience time.Duration) bool {
	return i.Lapsed && i.LooksClear >= looksNeeded && !i.ClearSince.IsZero() &&
		time.Since(i.ClearSince) >= cmp.Or(patience, defaultPatience)
}

// Absent is the finding of a look at an idle instance that found no trace of the
// mutation. nothing says what was compared, trail where a person finds more.
func (i Intent) Absent(patience time.Duration, nothing, trail string) Finding {
	if i.AbsenceProves(patience) {
		return Finding{Conclusion: NotRun, Clear: true,
			Evidence: fmt.Sprintf("%s, for the %d. time; the signature of the call has lapsed.", nothing, i.LooksClear+1)}
	}
	return Finding{Clear: true, Evidence: nothing + ". " + trail}
}

// Conclusion is what a reconciliation came to.
type Conclusion int

// The conclusions of a reconciliation.
const (
	Unclear  Conclusion = iota // neither shown; look again or give up
	Ran                        // shown to have been taken; follow Finding.Task
	RanDone                    // shown to have been carried out to its end
	RanError                   // shown to have been taken and to have failed
	NotRun                     // shown that nothing ran and nothing can any more
	Several                    // more than one candidate: a person must look
)

var conclusionNames = [...]string{"unclear", "ran", "ran_done", "ran_error", "not_run", "several"}

// String is the conclusion in the words of the ledger and of metrics.
func (c Conclusion) String() string {
	if c < 0 || int(c) >= len(conclusionNames) {
		return fmt.Sprintf("conclusion(%d)", int(c))
	}
	return conclusionNames[c]
}

// Finding is the answer of one reconciliation look.
type Finding struct {
	Conclusion Conclusion
	Task       Task
	// Evidence says in one sentence what was compared and found.
	Evidence string
	// Clear reports that this look worked and found no trace.
	Clear bool
	// Verdict carries the failed look-up, if it failed, or the failed task.
	Verdict Verdict
}
