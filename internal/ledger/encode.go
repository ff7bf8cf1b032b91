package ledger

import (
	"encoding/json"
	"strconv"
	"time"
)

// MarshalJSON writes what encoding/json would, without its look through all the raw
// messages inside, which were encoded before. A record is written three times for
// every command.
func (r Record) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 512+len(r.Command)+512*len(r.History))
	b = appendText(append(b, `{"token":`...), r.Token)
	b = appendText(append(b, `,"fingerprint":`...), r.Fingerprint)
	b = appendText(append(b, `,"state":`...), string(r.State))
	b = appendText(append(b, `,"writer":`...), r.Writer)
	b = strconv.AppendUint(append(b, `,"write":`...), r.Write, 10)
	b = appendRaw(append(b, `,"command":`...), r.Command)
	b = appendTime(b, `,"started":`, r.Started)
	b = strconv.AppendInt(append(b, `,"attempts":`...), int64(r.Attempts), 10)
	if len(r.History) > 0 {
		b = append(b, `,"history":[`...)
		for i, a := range r.History {
			if i > 0 {
				b = append(b, ',')
			}
			b = a.append(b)
		}
		b = append(b, ']')
	}
	b = appendOptional(b, `,"task":`, r.Task)
	b = appendTime(b, `,"acceptedAt":`, r.AcceptedAt)
	return r.appendEnd(b)
}

// appendEnd writes the fields that few versions of a record have.
func (r Record) appendEnd(b []byte) ([]byte, error) {
	if r.Outcome != nil {
		b = r.Outcome.append(append(b, `,"outcome":`...))
	}
	if len(r.Expired) > 0 {
		expired, err := json.Marshal(r.Expired)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"expired":`...), expired...)
	}
	return append(b, '}'), nil
}

// append writes one attempt.
func (a Attempt) append(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"n":`...), int64(a.N), 10)
	b = a.SignedAt.AppendFormat(append(b, `,"signedAt":"`...), time.RFC3339Nano)
	b = append(b, '"')
	b = appendWord(b, `,"replica":`, a.Replica)
	b = appendOptional(b, `,"baseline":`, a.Baseline)
	b = appendWord(b, `,"verdict":`, a.Verdict)
	b = appendOptional(b, `,"answer":`, a.Answer)
	b = appendTime(b, `,"answered":`, a.Answered)
	if a.Finding != nil {
		// Seldom, and without raw messages; its types cannot fail.
		finding, _ := json.Marshal(a.Finding)
		b = append(append(b, `,"finding":`...), finding...)
	}
	return append(b, '}')
}

// append writes the outcome.
func (o Outcome) append(b []byte) []byte {
	b = appendText(append(b, `{"status":`...), o.Status)
	b = appendWord(b, `,"code":`, o.Code)
	b = appendWord(b, `,"message":`, o.Message)
	b = appendWord(b, `,"hint":`, o.Hint)
	b = appendOptional(b, `,"answer":`, o.Answer)
	b = o.Finished.AppendFormat(append(b, `,"finished":"`...), time.RFC3339Nano)
	return append(b, '"', '}')
}

// appendText writes a string.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7F || c == '"' || c == '\\' {
			text, _ := json.Marshal(s) // a string cannot fail
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendWord writes a field with a string that may be left out.
func appendWord(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(append(b, name...), s)
}

// appendOptional writes a field with a raw message that may be left out.
func appendOptional(b []byte, name string, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return b
	}
	return append(append(b, name...), raw...)
}

func appendRaw(b []byte, raw json.RawMessage) []byte {
	if raw == nil {
		return append(b, "null"...)
	}
	return append(b, raw...)
}

// appendTime writes a field with a time that may be left out.
func appendTime(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = t.AppendFormat(append(append(b, name...), '"'), time.RFC3339Nano)
	return append(b, '"')
}
