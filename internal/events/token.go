package events

import (
	"crypto/sha256"
	"encoding/base32"
)

// tokenKeyLength is how many characters of the hash stand for a token.
const tokenKeyLength = 26

var keyEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// TokenKey is the first 26 characters of the lower-case RFC 4648 base32 of the
// token's SHA-256.
func TokenKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return keyEncoding.EncodeToString(sum[:])[:tokenKeyLength]
}

// EventKey is the token key of an event: of its source, a newline and its id.
func EventKey(source, id string) string { return TokenKey(source + "\n" + id) }

// DerivedToken is the token of a command whose publisher gave none.
func DerivedToken(source, id string) string { return "ce-" + EventKey(source, id) }
