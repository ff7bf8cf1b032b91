package rig

import (
	"strings"
	"testing"
)

// Prefix is a prefix of subjects and streams that no other test of this binary
// uses, so that tests can share a server.
func Prefix(tb testing.TB) string {
	tb.Helper()
	var b strings.Builder
	for _, c := range strings.ToLower(tb.Name()) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		}
	}
	name := b.String()
	sum := hash(tb.Name())
	return name[max(0, len(name)-20):] + "-" + word(sum)
}

// word writes a number in letters.
func word(n uint32) string {
	var b strings.Builder
	for range 6 {
		b.WriteByte(byte('a' + n%26))
		n /= 26
	}
	return b.String()
}
