package events

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

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
