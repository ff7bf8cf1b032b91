package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

// statusWidth is the longest status, so that lines that come one by one align.
const statusWidth = len(events.Indeterminate)

// paddedStatus is the status in its colour, filled up to its column.
func paddedStatus(status string, color bool) string {
	return statusColor(printable(status), color) + strings.Repeat(" ", max(statusWidth-len(status), 0))
}

// fill is any word in the status column.
func fill(word string) string { return paddedStatus(word, false) }

// resultDetails is everything of a result after status and instance, on one line:
// durations, reason, the vendor's words, and what to do.
func resultDetails(r events.Result) string {
	parts := []string{took(r.Times)}
	if r.Duplicate {
		parts = append(parts, "(duplicate)")
	}
	if r.DryRun {
		parts = append(parts, "(dry run)")
	}
	if r.Reason != nil {
		parts = append(parts, r.Reason.Code+": "+r.Reason.Message)
	}
	if v := vendorWords(unsaid(r)); v != "" {
		parts = append(parts, "vendor: "+v)
	}
	if r.Plan != nil {
		request, _ := json.Marshal(r.Plan.Request)
		parts = append(parts, fmt.Sprintf("would call %s: %s %s", r.Plan.Action, r.Plan.Endpoint, request))
	}
	if r.Reason != nil && r.Reason.Hint != "" {
		parts = append(parts, "hint: "+r.Reason.Hint)
	}
	return printable(joinNonEmpty("  ", parts...))
}

// unsaid is the vendor's answer less the words that the reason repeats.
func unsaid(r events.Result) *events.VendorResponse {
	if r.VendorResponse == nil || r.Reason == nil || r.VendorResponse.Message == "" ||
		!strings.Contains(r.Reason.Message, r.VendorResponse.Message) {
		return r.VendorResponse
	}
	v := *r.VendorResponse
	v.Message = ""
	return &v
}

// took is how long the command was with us, and how much of that it waited.
func took(t events.Times) string {
	if t.Received == nil || t.Finished == nil || t.Finished.Before(t.Received.Time) {
		return ""
	}
	text := "in " + short(t.Finished.Sub(t.Received.Time))
	if t.Started != nil && t.Started.After(t.Received.Time) {
		text += " (waited " + short(t.Started.Sub(t.Received.Time)) + ")"
	}
	return text
}

// short is a duration to the millisecond, or to the second once it has minutes.
func short(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// vendorWords is what the vendor answered.
func vendorWords(v *events.VendorResponse) string {
	if v == nil {
		return ""
	}
	status := ""
	if v.HTTPStatus != 0 {
		status = "HTTP " + strconv.Itoa(v.HTTPStatus)
	}
	return joinNonEmpty(", ", joinNonEmpty(" ", status, v.Code, v.Message), prefixed("request ", v.RequestID), prefixed("task ", v.TaskID))
}

// prefixed is the value with its label, or nothing.
func prefixed(label, value string) string {
	if value == "" {
		return ""
	}
	return label + value
}

func joinNonEmpty(separator string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, separator)
}

// writeEvent prints an event as it was received, on one line.
func writeEvent(w io.Writer, raw []byte) error {
	if bytes.ContainsAny(raw, "\r\n") {
		var line bytes.Buffer
		if err := json.Compact(&line, raw); err != nil {
			return fmt.Errorf("print event: %w", err)
		}
		raw = line.Bytes()
	}
	_, err := fmt.Fprintf(w, "%s\n", raw)
	return err
}

// writeJSON prints a value on one line.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
