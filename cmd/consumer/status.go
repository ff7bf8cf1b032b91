package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const statusHelp = `Show what the ledger knows of a clientToken: the command, its state, every attempt
with the vendor's answer and request id, what reconciliation compared and found, and
the outcome.

  consumer status nightly-restart/redis-cn02abc
  consumer status TOKEN --output json | jq .history

A refusal (rejected, expired) leaves the token free: the ledger does not know it, or
says that it is free. Look for the answer with "consumer watch --since 24h".

Exit codes: 0 shown, 1 unknown token or broker away, 2 wrong usage.`

func newStatus(s std) *cobra.Command {
	var flags clientFlags
	var output string
	cmd := &cobra.Command{
		Use: "status TOKEN", Short: "Show the ledger's record of a token", Long: statusHelp, Args: exactly(1, "one clientToken"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			c, err := flags.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			e, err := ledger.Open(c.Ledger(), "cli").Get(cmd.Context(), events.TokenKey(args[0]))
			switch {
			case errors.Is(err, broker.ErrNotFound):
				return fmt.Errorf("token %q is unknown to the ledger: nothing was claimed with it, it was refused (see %q), or its record is older than ledger.retention",
					args[0], "consumer watch --since 24h")
			case err != nil:
				return c.hint(err)
			case output == "json":
				return writeJSON(s.out, e.Record)
			}
			printRecord(s.out, e.Record, colorOn(s.out))
			return nil
		},
	}
	flags.add(cmd)
	outputFlag(cmd, &output)
	return cmd
}

// stateMeanings are the ledger's states as sentences.
var stateMeanings = map[ledger.State]string{
	ledger.Claimed:  "claimed: waiting; nothing of it runs at the vendor",
	ledger.Sending:  "sending: the call may have left; its answer is awaited or being reconciled",
	ledger.Accepted: "accepted: the vendor has taken the work and it is being followed",
	ledger.Final:    "final: the outcome stands",
	ledger.Free:     "free: its command expired before anything was sent; the token may be used again",
}

// printRecord shows a record to a person.
func printRecord(w io.Writer, r ledger.Record, color bool) {
	var c events.Command
	// A record from another version may not decode; then its fields stay empty.
	_ = json.Unmarshal(r.Command, &c)
	t := &table{}
	state := stateMeanings[r.State]
	if state == "" {
		state = string(r.State)
	}
	t.row("token", r.Token)
	t.row("state", state)
	if r.State == ledger.Free {
		t.print(w, color)
		return
	}
	t.row("command", fmt.Sprintf("%s %s at %s, priority %s", c.Operation, c.InstanceID, strings.Join([]string{c.Vendor, c.Account, c.Region}, "/"), c.Priority))
	t.row("event", c.Event.ID+" from "+c.Event.Source)
	if c.Publisher != "" {
		t.row("publisher", c.Publisher+" (over HTTP)")
	}
	t.row("received", moment(c.Received))
	t.row("started", moment(r.Started))
	if r.Attempts > len(r.History) {
		t.row("attempts", fmt.Sprintf("%d, the last %d are kept", r.Attempts, len(r.History)))
	} else {
		t.row("attempts", fmt.Sprint(r.Attempts))
	}
	for _, a := range r.History {
		attemptRows(t, a)
	}
	if !r.AcceptedAt.IsZero() {
		t.row("accepted", joinNonEmpty(", ", moment(r.AcceptedAt), prefixed("task ", taskID(r.Task))))
	}
	if r.Outcome != nil {
		outcomeRows(t, *r.Outcome)
	}
	t.print(w, color)
}

// attemptRows tells the story of one intent.
func attemptRows(t *table, a ledger.Attempt) {
	t.row(fmt.Sprintf("attempt %d", a.N), joinNonEmpty(" ", "signed", moment(a.SignedAt), prefixed("by ", a.Replica)))
	if a.Verdict == "" {
		t.row("", "no answer is recorded")
	} else {
		after := ""
		if a.Answered.After(a.SignedAt) {
			after = "after " + short(a.Answered.Sub(a.SignedAt))
		}
		t.row("", joinNonEmpty(" ", a.Verdict, after))
	}
	if words := recordedWords(a.Answer); words != "" {
		t.row("", "vendor: "+words)
	}
	if f := a.Finding; f != nil {
		findingRows(t, a, *f)
	}
}

// conclusions are what reconciliation came to, as sentences.
var conclusions = map[string]string{
	"ran": "it ran", "ran_done": "it ran to its end", "ran_error": "it ran and failed",
	"not_run": "it did not run", "several": "several candidates: a person must look", "unclear": "nobody can tell: a person must look",
}

// findingRows tells how a lost answer was looked for.
func findingRows(t *table, a ledger.Attempt, f ledger.Finding) {
	word := conclusions[f.Conclusion]
	if word == "" {
		word = f.Conclusion
	}
	times := "1 look"
	if f.Looks != 1 {
		times = fmt.Sprintf("%d looks", f.Looks)
	}
	t.row("", joinNonEmpty(" ", "found: "+word+",", "by", times, "until", moment(f.At), prefixed("by ", f.Replica)))
	if len(a.Baseline) > 0 {
		t.row("", "compared with: "+string(a.Baseline))
	}
	if f.Evidence != "" {
		t.row("", "evidence: "+f.Evidence)
	}
}

// outcomeRows is how it ended.
func outcomeRows(t *table, o ledger.Outcome) {
	t.row("finished", moment(o.Finished))
	t.row("outcome", o.Status)
	if o.Code != "" {
		t.row("reason", o.Code+": "+o.Message)
	}
	if words := recordedWords(o.Answer); words != "" {
		t.row("vendor", words)
	}
	if o.Hint != "" {
		t.row("hint", o.Hint)
	}
}

// recordedWords is a vendor's answer as the ledger holds it.
func recordedWords(raw json.RawMessage) string {
	var v events.VendorResponse
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return ""
	}
	return vendorWords(&v)
}

// taskID is the vendor's id of accepted work, if it gave one.
func taskID(raw json.RawMessage) string {
	var task vendors.Task
	_ = json.Unmarshal(raw, &task)
	return task.ID
}

// moment is a time as results print it.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
