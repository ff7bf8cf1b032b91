package events

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// What is encoded reads back as what it was, whatever its attributes hold.
func TestStructuredReadsBack(t *testing.T) {
	t.Parallel()
	env := Envelope{
		ID: `a "quoted" <id> & 世`, Source: "/intake/p", Type: CommandType(Restart), Subject: "redis-1", SpecVersion: "1.0",
		DataContentType: "application/json", Time: time.Date(2026, 1, 2, 3, 4, 5, 6000000, time.UTC),
		ExpiryTime: time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC),
		Trace:      Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", State: "a=b", Correlation: "c"},
		Data:       []byte(`{"instanceId":"<redis-1>","n":12345678901234567890}`),
		Extensions: map[string]string{"zeta": "z", ExtensionPublisher: "p"},
	}
	raw, err := env.Structured()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Open(nil, raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if !reflect.DeepEqual(back, env) {
		t.Errorf("read back\n%+v, want\n%+v\nfrom %s", back, env, raw)
	}
	again, _ := env.Structured()
	if string(again) != string(raw) {
		t.Error("the same event is encoded in two ways")
	}
	if !strings.Contains(string(raw), "<redis-1>") {
		t.Error("the data was changed")
	}
}
