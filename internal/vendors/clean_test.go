package vendors

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed-7b870224/sluice/internal/secret"
)

func TestClean(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, message string
		secrets       []string
		want          string
	}{
		{"plain", "instance is busy", nil, "instance is busy"},
		{"control characters", "a\r\nb\x00c\u2028d\u202ee", nil, "a  b c d e"},
		{"invalid UTF-8", "a\xffb", nil, "a\uFFFDb"},
		{"secret", "key sk+1/2= is wrong", []string{"sk+1/2="}, "key [redacted] is wrong"},
		{"percent-encoded secret", "key sk%2B1%2F2%3D is wrong", []string{"sk+1/2="}, "key [redacted] is wrong"},
		{"quoted secret", `{"token":"a\"b"}`, []string{`a"b`}, `{"token":"[redacted]"}`},
		{"secret with a control character", "x a\nb y", []string{"a\nb"}, "x [redacted] y"},
		{"one secret begins another", "token-and-more token", []string{"token", "token-and-more"}, "[redacted] [redacted]"},
		{"secret that is part of the mask", "abc red", []string{"abc", "red"}, "[redacted] [redacted]"},
		{"empty secret", "abc", []string{""}, "abc"},
		{"secret across the cut", strings.Repeat("x", 295) + "topsecret", []string{"topsecret"}, strings.Repeat("x", 295) + "[reda"},
		{"cut on a character", strings.Repeat("x", 299) + "é", nil, strings.Repeat("x", 299)},
		{"cut between characters", strings.Repeat("é", 200), nil, strings.Repeat("é", 150)},
		{"just fits", strings.Repeat("y", 300), nil, strings.Repeat("y", 300)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var secrets []secret.Text
			for _, s := range c.secrets {
				secrets = append(secrets, secret.New(s))
			}
			if got := Clean(c.message, secrets...); got != c.want {
				t.Errorf("Clean(%q) = %q, want %q", c.message, got, c.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a message with s3cret inside", "s3cret")
	f.Add(strings.Repeat("é", 400), "é")
	f.Fuzz(func(t *testing.T, message, hidden string) {
		got := Clean(message, secret.New(hidden))
		if len(got) > maxMessage || !utf8.ValidString(got) {
			t.Errorf("Clean gave %d bytes, valid UTF-8 %v", len(got), utf8.ValidString(got))
		}
	})
}
