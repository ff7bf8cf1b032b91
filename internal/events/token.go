package events

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"time"
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

// Fingerprint tells commands apart that use the same token: the hash of what
// makes them the same work. Of a password it covers only whether there is one.
func (c Command) Fingerprint() string {
	timePoint := ""
	if !c.Parameters.TimePoint.IsZero() {
		timePoint = c.Parameters.TimePoint.UTC().Format(time.RFC3339Nano)
	}
	password := "no"
	if c.Parameters.Password != nil {
		password = "yes"
	}
	// A JSON list is unambiguous whatever the strings hold; marshalling strings
	// cannot fail.
	canonical, _ := json.Marshal([]string{
		"v1", c.Vendor, c.Account, c.Region, c.Operation, c.InstanceID, c.Parameters.BackupID, timePoint, password,
	})
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}
