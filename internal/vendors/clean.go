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

// Echoes is what a vendor may repeat of a request in its answer, and nobody may read
// there.
type Echoes struct {
	Secrets []secret.Text
	// Words are what is no secret to the program, such as the signature of one call.
	Words []string
}

// Clean makes a vendor's message fit to be stored and printed, without the secrets.
func Clean(message string, secrets ...secret.Text) string {
	return Echoes{Secrets: secrets}.Clean(message)
}

// Clean makes a vendor's message fit to be stored and printed: what is echoed becomes
// [redacted], also where it is percent-encoded or quoted, unprintable characters become
// spaces, and the rest is cut to 300 bytes without splitting a character.
func (e Echoes) Clean(message string) string {
	// The echoes go first: a cut or a replaced character would hide one from the
	// search and leave most of it in place.
	message = e.redact(message)
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

// redact replaces the echoes in every spelling.
func (e Echoes) redact(message string) string {
	var spellings []string
	add := func(plain string) {
		if plain == "" || len(plain) > len(message) {
			return // no spelling is shorter than the word
		}
		quoted := strconv.Quote(plain)
		spellings = append(spellings, plain, url.QueryEscape(plain), url.PathEscape(plain), quoted[1:len(quoted)-1])
	}
	for _, s := range e.Secrets {
		add(s.Reveal())
	}
	for _, w := range e.Words {
		add(w)
	}
	if !slices.ContainsFunc(spellings, func(s string) bool { return strings.Contains(message, s) }) {
		return message
	}
	// Longest first: where one echo begins another, the whole must go.
	slices.SortStableFunc(spellings, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(spellings))
	for _, s := range spellings {
		pairs = append(pairs, s, secret.Redacted)
	}
	return strings.NewReplacer(pairs...).Replace(message)
}
