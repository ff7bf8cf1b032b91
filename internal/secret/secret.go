// Package secret holds the one type in which credentials and passwords travel
// through the program, which never prints what it holds, and the store from
// which instance passwords are read and unsealed.
package secret

import (
	"log/slog"
	"unique"
)

// Redacted is what a non-empty secret shows instead of itself.
const Redacted = "[redacted]"

// Text is a secret that cannot be printed, logged or marshalled by accident.
// Reveal is the only way to its content, so that every use can be found.
//
// The content sits behind a handle: package fmt cannot call String on a secret
// in an unexported field and would print a plain string there. Two secrets with
// the same content are equal.
type Text struct{ value unique.Handle[string] }

// New wraps a secret.
func New(value string) Text {
	if value == "" {
		return Text{}
	}
	return Text{value: unique.Make(value)}
}

// Reveal returns the secret itself. Its result must not be stored or printed.
func (t Text) Reveal() string {
	if t.Empty() {
		return ""
	}
	return t.value.Value()
}

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t == Text{} }

// String shows that there is a secret, not which.
func (t Text) String() string {
	if t.Empty() {
		return ""
	}
	return Redacted
}

// GoString is String, so that %#v is as silent as %v.
func (t Text) GoString() string { return t.String() }

// MarshalText keeps the secret out of JSON, YAML and XML.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue keeps the secret out of structured logs.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }
