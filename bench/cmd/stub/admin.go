package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// admin answers the rig: /_stub/counts is how many calls of each action there
// were, /_stub/arrivals?action=A one line of nanoseconds and instance id for
// each, /_stub/reset forgets the calls.
func (v *vendor) admin(target string) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch path, query, _ := strings.Cut(target, "?"); path {
	case "/_stub/counts":
		counts := map[string]int{}
		for action, all := range v.arrived {
			counts[action] = len(all)
		}
		body, _ := json.Marshal(counts) // cannot fail
		return body
	case "/_stub/arrivals":
		var b bytes.Buffer
		for _, a := range v.arrived[strings.TrimPrefix(query, "action=")] {
			b.WriteString(strconv.FormatInt(a.at.UnixNano(), 10))
			b.WriteByte(' ')
			b.WriteString(a.id)
			b.WriteByte('\n')
		}
		return b.Bytes()
	case "/_stub/reset":
		clear(v.arrived)
		return []byte("{}")
	}
	return []byte(`{"error":"want /_stub/counts, /_stub/arrivals?action=A or /_stub/reset"}`)
}
