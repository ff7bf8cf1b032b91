package ledger

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// plainRecord has the fields of a record, and none of its methods.
type plainRecord Record

// FuzzRecord checks that a record encodes as the standard library would encode it.
func FuzzRecord(f *testing.F) {
	f.Add("tok", "message", int64(0), 0, true)
	f.Add(`t"\<&é`+"\u2028\x00\xff", "a\nb", int64(1764000000123456789), 3, true)
	f.Add("", "", int64(-1), 1, false)
	f.Fuzz(func(t *testing.T, token, words string, at int64, attempts int, full bool) {
		when := time.Unix(0, at).UTC()
		raw, _ := json.Marshal(map[string]string{"a": words, "b": token})
		r := Record{Token: token, Fingerprint: words, State: Claimed, Writer: token, Write: uint64(attempts), Command: raw, Attempts: attempts}
		for i := range min(max(attempts, 0), 5) {
			a := Attempt{N: i, SignedAt: when}
			if full {
				a = Attempt{N: i, SignedAt: when, Replica: token, Baseline: raw, Verdict: words, Answer: raw, Answered: when,
					Finding: &Finding{Conclusion: words, Evidence: token, Looks: i, At: when}}
			}
			r.History = append(r.History, a)
		}
		if full {
			r.Started, r.AcceptedAt, r.Task, r.Expired = when, when, raw, []string{token, words}
			r.Reused = []Reuse{{Event: words, FirstID: token, FirstTime: when}, {}}
			r.Outcome = &Outcome{Status: words, Code: token, Message: words, Hint: token, Answer: raw, Finished: when}
		}
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("it does not encode: %v", err)
		}
		want, err := json.Marshal(plainRecord(r))
		if err != nil {
			t.Skip("no time of RFC 3339")
		}
		if !bytes.Equal(got, want) {
			t.Errorf("encoded as\n%s\nwant\n%s", got, want)
		}
	})
}

// A nil command is null, as ever, and times keep their zone.
func TestRecordOfFewWords(t *testing.T) {
	r := Record{State: Free, Started: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))}
	got, _ := json.Marshal(r)
	want, _ := json.Marshal(plainRecord(r))
	if !bytes.Equal(got, want) {
		t.Errorf("encoded as %s, want %s", got, want)
	}
}
