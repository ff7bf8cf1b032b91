package events

import (
	"strings"
	"testing"
)

func TestOpenBatch(t *testing.T) {
	t.Parallel()
	batch := headers{"CONTENT-TYPE": {"application/cloudevents-batch+json"}}
	second := strings.Replace(minimal, `"id":"1"`, `"id":"2"`, 1)
	for _, c := range []struct {
		name   string
		header headers
		data   string
		batch  bool
		// want has an id for an event, or a part of the error's detail.
		want []string
	}{
		{"two events", batch, ` [ {` + minimal + `} ,{` + second + `,"data":{"a":["]"]}}] `, true, []string{"1", "2"}},
		{"each by itself", batch, `[5,{` + minimal + `},{"id":"3"},[]]`, true, []string{"!object", "1", "!specversion", "!object"}},
		{"empty", batch, `[]`, true, []string{"!empty"}},
		{"no array", batch, `{` + minimal + `}`, true, []string{"!array"}},
		{"no JSON", batch, `[{` + minimal + `},`, true, []string{"!not JSON"}},
		{"too large", batch, `[` + strings.Repeat(" ", MaxPayload) + `]`, false, nil},
		{"structured", headers{"Content-Type": {structuredType}}, `{` + minimal + `}`, false, nil},
		{"array without its type", nil, `[{` + minimal + `}]`, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			items, isBatch := OpenBatch(c.header, []byte(c.data))
			if isBatch != c.batch || len(items) != len(c.want) {
				t.Fatalf("OpenBatch: %d items, batch %v; want %d, %v", len(items), isBatch, len(c.want), c.batch)
			}
			for i, item := range items {
				detail, wantErr := strings.CutPrefix(c.want[i], "!")
				switch {
				case wantErr && (item.Err == nil || !strings.Contains(item.Err.Detail, detail)):
					t.Errorf("item %d: %v, want an error with %q", i, item.Err, detail)
				case !wantErr && (item.Err != nil || item.Envelope.ID != c.want[i]):
					t.Errorf("item %d: id %q, %v; want id %s", i, item.Envelope.ID, item.Err, c.want[i])
				case !wantErr:
					// The raw member is what is forwarded, as a message of its own.
					if e, err := Open(nil, item.Raw); err != nil || e.ID != c.want[i] {
						t.Errorf("item %d: its raw form has id %q, %v", i, e.ID, err)
					}
				}
			}
		})
	}
}
