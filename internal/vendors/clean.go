package vendors

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// maxMessage bounds a vendor's words in bytes: enough for a sentence, too short
// for the canonical request or the HTML page that some gateways answer with.
const maxMessage = 300

// Clean makes a vendor's message fit to be stored and printed: secrets become
// [redacted], also where the vendor echoes them percent-encoded or quoted,
// unprintable characters become spaces, and the rest is cut to 300 bytes without
// splitting a character.
func Clean(message string, secrets ...secret.Text) string {
	// The secrets go first: a cut or a replaced character would hide one from
	// the search and leave most of it in place.
	message = redact(message, secrets)
	if plain(message) {
		return message
	}
	message = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(message, "\uFFFD"))
	message = strings.TrimSpace(message)
	if len(message) <= maxMessage {
		return message
	}
	end := maxMessage
	for !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end]
}

// plain reports a message that is fit to be printed as it is, as most are.
func plain(message string) bool {
	for i := range len(message) {
		if message[i] < 0x20 || message[i] >= 0x7F {
			return false
		}
	}
	return len(message) <= maxMessage && strings.TrimSpace(message) == message
}

// redact replaces the secrets in every spelling in which they are echoed.
func redact(message string, secrets []secret.Text) string {
	var spellings []string
	for _, s := range secrets {
		if s.Empty() {
			continue
		}
		plain := s.Reveal()
		if len(plain) > len(message) {
			continue // no spelling is shorter than the secret
		}
		quoted := strconv.Quote(plain)
		spellings = append(spellings, plain, url.QueryEscape(plain), url.PathEscape(plain), quoted[1:len(quoted)-1])
	}
	if len(spellings) == 0 {
		return message
	}
	// Longest first: where one secret begins another, the whole must go.
	slices.SortStableFunc(spellings, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(spellings))
	for _, s := range spellings {
		pairs = append(pairs, s, secret.Redacted)
	}
	return strings.NewReplacer(pairs...).Replace(message)
}
