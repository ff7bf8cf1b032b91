package tencent

import (
	"encoding/json"
	"testing"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// FuzzAnswer judges any answer: it must not panic, an accepted mutation must have
// a task to follow, and a look-up is never ambiguous.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{"", "null", "[]", "{}", "<html>", fault("RequestLimitExceeded", "x"), fault("", ""), instances("2"), tasks(row("1", "004", "x", "1")),
		response(`"TaskId":6954227`), response(`"status":2`), response(`"TaskId":"6954227"`), info("failed", "x"), backups("2"), `{"Response":{"Error":[]}}`} {
		f.Add(200, body)
		f.Add(429, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		for _, mutation := range []bool{false, true} {
			out := call{action: "X", mutation: mutation, echoes: vendors.Echoes{Secrets: []secret.Text{secret.New(testKey)}}}
			v, result := out.judge(wire.Answer{Status: status, Body: []byte(body)}, nil)
			switch {
			case v.Kind < vendors.Done || v.Kind > vendors.Ambiguous:
				t.Fatalf("kind %v", v.Kind)
			case v.Kind == vendors.Done && status != 200:
				t.Fatalf("success under status %d", status)
			case v.Kind != vendors.Done && (v.Reason == "" || v.Message == ""):
				t.Fatalf("no words: %+v", v)
			case mutation && status != 200 && v.Kind != vendors.Ambiguous && v.Kind != vendors.Throttled:
				t.Fatalf("status %d shows that nothing ran: %+v", status, v)
			case !mutation && v.Kind == vendors.Ambiguous:
				t.Fatalf("ambiguous look-up: %+v", v)
			}
			if v.Kind == vendors.Done {
				decodeAll(t, result)
			}
		}
	})
}

// decodeAll reads a result as each of the shapes.
func decodeAll(t *testing.T, result json.RawMessage) {
	if id, err := decodeAccepted(result); err == nil {
		if again, ok := taskID(wire.String(id)); !ok || again != id || !json.Valid([]byte(id)) {
			t.Fatalf("task id %q", id)
		}
	}
	if p, err := decodeInstances(result); err == nil {
		if i, ok, err := p.pick(instanceID); err == nil && ok && (string(i.ID) != instanceID || !i.Status.Valid) {
			t.Fatalf("instance %+v", i)
		}
	}
	if s, err := decodeStatus(result, instanceID); err == nil && s.Status == "" {
		t.Fatalf("status %+v", s)
	}
	if p, err := decodeBackups(result); err == nil {
		for _, b := range p.Backups {
			usable(b, vendors.Verdict{Kind: vendors.Done})
		}
	}
	if p, err := decodeTasks(result); err == nil {
		b := newBaseline(vendors.Flush, p.Tasks)
		for _, row := range p.Tasks {
			if at := row.started(); at != "" && row.like(vendors.Flush) != other && !row.unfinished() && at == b.Newest {
				if id, ok := taskID(row.ID); ok && b.newer(row) {
					t.Fatalf("task %s is newer than the baseline it is in", id)
				}
			}
		}
	}
}
