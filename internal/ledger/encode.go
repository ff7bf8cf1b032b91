package ledger

import (
	"encoding/json"
	"time"

	"github.com/seed-7b870224/sluice/internal/jsonobject"
)

// MarshalJSON writes what encoding/json would, without its look through all the raw
// messages inside, which were encoded before. A record is written three times for
// every command.
func (r Record) MarshalJSON() ([]byte, error) {
	o := jsonobject.Begin(make([]byte, 0, 512+len(r.Command)+512*len(r.History)))
	o.Text("token", r.Token)
	o.Text("fingerprint", r.Fingerprint)
	o.Text("state", string(r.State))
	o.Text("writer", r.Writer)
	o.Uint("write", r.Write)
	o.Raw("command", r.Command)
	o.Time("started", r.Started)
	o.Int("attempts", int64(r.Attempts))
	if len(r.History) > 0 {
		o.Append("history", r.appendHistory)
	}
	o.Optional("task", r.Task)
	o.Time("acceptedAt", r.AcceptedAt)
	if r.Outcome != nil {
		o.Append("outcome", r.Outcome.append)
	}
	if err := r.encodeTold(o); err != nil {
		return nil, err
	}
	return o.End(), nil
}

// encodeTold writes what few records have.
func (r Record) encodeTold(o *jsonobject.Object) error {
	if len(r.Expired) > 0 {
		expired, err := json.Marshal(r.Expired)
		if err != nil {
			return err
		}
		o.Raw("expired", expired)
	}
	if len(r.Reused) > 0 {
		reused, err := json.Marshal(r.Reused)
		if err != nil {
			return err
		}
		o.Raw("reused", reused)
	}
	return nil
}

func (r Record) appendHistory(b []byte) []byte {
	b = append(b, '[')
	for i, a := range r.History {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.append(b)
	}
	return append(b, ']')
}

// append writes one attempt.
func (a Attempt) append(b []byte) []byte {
	o := jsonobject.Begin(b)
	o.Int("n", int64(a.N))
	o.Moment("signedAt", a.SignedAt, time.RFC3339Nano)
	o.Word("replica", a.Replica)
	o.Optional("baseline", a.Baseline)
	o.Word("verdict", a.Verdict)
	o.Optional("answer", a.Answer)
	o.Time("answered", a.Answered)
	if a.Finding != nil {
		// Seldom, and without raw messages; its types cannot fail.
		finding, _ := json.Marshal(a.Finding)
		o.Raw("finding", finding)
	}
	return o.End()
}

// append writes the outcome.
func (o Outcome) append(b []byte) []byte {
	out := jsonobject.Begin(b)
	out.Text("status", o.Status)
	out.Word("code", o.Code)
	out.Word("message", o.Message)
	out.Word("hint", o.Hint)
	out.Optional("answer", o.Answer)
	out.Moment("finished", o.Finished, time.RFC3339Nano)
	return out.End()
}
