package load

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

var lane = Lane{Prefix: "sluice", Vendor: "volcengine", Account: "bench", Region: "cn-beijing", Operation: "flush", Priority: "bulk"}

// What is put together by hand is what the program's own client would send.
func TestEventIsThatOfADraft(t *testing.T) {
	now := time.Now()
	_, want, err := events.Draft{
		Operation: lane.Operation, Vendor: lane.Vendor, Account: lane.Account, Region: lane.Region, Priority: lane.Priority,
		InstanceID: "redis-1", Token: "token-1", ID: "e1", Source: "/bench",
	}.Event(now)
	if err != nil {
		t.Fatal(err)
	}
	got := lane.Event(Command{ID: "e1", Token: "token-1", Instance: "redis-1"}, now)
	if !reflect.DeepEqual(decode(t, got), decode(t, want)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := Check(got); err != nil {
		t.Error(err)
	}
}

// decode reads JSON; times are compared to the millisecond, however many zeros
// they end in.
func decode(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	at, err := time.Parse(time.RFC3339, v["time"].(string))
	if err != nil {
		t.Fatal(err)
	}
	v["time"] = at.UnixMilli()
	return v
}

func TestCheckFindsWhatWouldBeRefused(t *testing.T) {
	now := time.Now()
	for name, raw := range map[string][]byte{
		"no event":    []byte("{}"),
		"no instance": lane.Event(Command{ID: "e1", Token: "token-1"}, now),
		"odd token":   lane.Event(Command{ID: "e1", Token: "é", Instance: "redis-1"}, now),
	} {
		if Check(raw) == nil {
			t.Errorf("%s: passes", name)
		}
	}
}
