package tencentcrs

import (
	"testing"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// FuzzAnswer judges any answer: it must not panic, an accepted mutation must have
// a task to follow, and a look-up is never ambiguous.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{"", "null", "[]", "{}", "<html>", fault("4400", "x", ""), fault(`"5100"`, "(10707)", ""), instances("2"), tasks(row("cleanInstance", "x", "1")),
		success(`"data":{"requestId":375074}`), success(`"data":[{"requestId":"375074"}]`), info("3"), backups("2"), `{"code":0,"data":[[]]}`} {
		f.Add(200, body)
		f.Add(429, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		for _, mutation := range []bool{false, true} {
			out := call{action: "X", mutation: mutation, echoes: vendors.Echoes{Secrets: []secret.Text{secret.New(testKey)}}}
			v, e := out.judge(wire.Answer{Status: status, Body: []byte(body)}, nil)
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
				decodeAll(t, e)
			}
		}
	})
}

// decodeAll reads an envelope as each of the shapes.
func decodeAll(t *testing.T, e envelope) {
	if id, err := decodeAccepted(e); err == nil {
		if again, ok := taskID(wire.String(id)); !ok || again != id {
			t.Fatalf("task id %q", id)
		}
	}
	if i, ok, err := decodeInstances(e, instanceID); err == nil && ok && (string(i.ID) != instanceID || !i.Status.Valid) {
		t.Fatalf("instance %+v", i)
	}
	if s, err := decodeStatus(e); err == nil {
		_ = state(s)
	}
	if list, err := decodeBackups(e); err == nil {
		for _, b := range list {
			usable(b, vendors.Verdict{Kind: vendors.Done})
		}
	}
	if list, err := decodeTasks(e); err == nil {
		for _, row := range newBaseline(vendors.Flush, "", list).fresh(vendors.Flush, list) {
			if !row.unfinished() {
				t.Fatalf("row %+v is newer than the baseline it is in", row)
			}
		}
	}
}
