// Package jsonobject writes JSON objects member by member, for the few types of which
// every command writes several: there reflection costs more than all else. What it
// writes is what encoding/json would write, but for <, > and &, which stay as they are.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// Object is a JSON object that is being written. Names of members need no escaping.
type Object struct {
	buf  []byte
	some bool // it has members
}

// Begin begins an object after what b holds.
func Begin(b []byte) *Object { return &Object{buf: append(b, '{')} }

// End ends the object and returns all that was written.
func (o *Object) End() []byte { return append(o.buf, '}') }

func (o *Object) name(name string) {
	if o.some {
		o.buf = append(o.buf, ',')
	}
	o.some = true
	o.buf = append(append(append(o.buf, '"'), name...), '"', ':')
}

// Text writes a string.
func (o *Object) Text(name, s string) {
	o.name(name)
	o.buf = text(o.buf, s)
}

// Word writes a string, unless it is empty.
func (o *Object) Word(name, s string) {
	if s != "" {
		o.Text(name, s)
	}
}

// Bool writes true or false.
func (o *Object) Bool(name string, is bool) {
	o.name(name)
	o.buf = strconv.AppendBool(o.buf, is)
}

// Flag writes true, or nothing.
func (o *Object) Flag(name string, is bool) {
	if is {
		o.Bool(name, is)
	}
}

// Int writes a number.
func (o *Object) Int(name string, n int64) {
	o.name(name)
	o.buf = strconv.AppendInt(o.buf, n, 10)
}

// Uint writes a number.
func (o *Object) Uint(name string, n uint64) {
	o.name(name)
	o.buf = strconv.AppendUint(o.buf, n, 10)
}

// Moment writes a time in a layout of digits and punctuation.
func (o *Object) Moment(name string, t time.Time, layout string) {
	o.name(name)
	o.buf = append(t.AppendFormat(append(o.buf, '"'), layout), '"')
}

// Time writes a time as encoding/json does, unless it is zero.
func (o *Object) Time(name string, t time.Time) {
	if !t.IsZero() {
		o.Moment(name, t, time.RFC3339Nano)
	}
}

// Raw writes what is JSON already, or null if there is none.
func (o *Object) Raw(name string, raw json.RawMessage) {
	o.name(name)
	if raw == nil {
		raw = json.RawMessage("null")
	}
	o.buf = append(o.buf, raw...)
}

// Optional writes what is JSON already, if there is some.
func (o *Object) Optional(name string, raw json.RawMessage) {
	if len(raw) > 0 {
		o.Raw(name, raw)
	}
}

// Append writes what add appends, which is one JSON value.
func (o *Object) Append(name string, add func([]byte) []byte) {
	o.name(name)
	o.buf = add(o.buf)
}

// text appends a string.
func text(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7F || c == '"' || c == '\\' {
			return escaped(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// escaped appends a string that holds what cannot stand as it is.
func escaped(b []byte, s string) []byte {
	out, _ := Marshal(s) // a string cannot fail
	return append(b, out...)
}

// Marshal is encoding/json's, but for <, > and &, which stay as they are.
func Marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
