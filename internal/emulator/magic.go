package emulator

import (
	"slices"
	"strings"
)

// Huawei's ids are UUIDs and have no room for words; these stand for them.
const (
	uuidMissing    = "00000000-0000-0000-0000-000000000000"
	uuidDeadBackup = "00000000-0000-0000-0000-00000000dead"
	uuidFails      = "00000000-0000-0000-0000-00000000fa11"
	uuidRedis3     = "00000000-0000-0000-0000-0000000003d0"
	uuidStandalone = "00000000-0000-0000-0000-00000000501e"
)

// wellFormed reports whether an id can name anything at all. Deliberately wider
// than any vendor's rule, so that made-up ids work.
func wellFormed(id string) bool {
	if len(id) < 3 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func hasAny(id string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(id, w) })
}

func magicMissing(id string) bool {
	return id == uuidMissing || hasAny(id, "missing", "unknown", "nonexist")
}

func magicFails(id string) bool { return id == uuidFails || hasAny(id, "fails") }

func magicRedis3(id string) bool { return id == uuidRedis3 || hasAny(id, "redis3") }

func magicStandalone(id string) bool { return id == uuidStandalone || hasAny(id, "standalone") }

// backupState is what a backup id tells about the backup.
type backupState int

const (
	backupUsable backupState = iota
	backupUnusable
	backupMissing
)

// magicBackup judges a backup id that no list knows.
func magicBackup(id string) backupState {
	switch {
	case !wellFormed(id) || id == uuidMissing || hasAny(id, "missing", "unknown"):
		return backupMissing
	case id == uuidDeadBackup || hasAny(id, "expired", "broken"):
		return backupUnusable
	}
	return backupUsable
}

// wrongPassword reports whether the instance refuses the password.
func wrongPassword(p string) bool { return strings.Contains(p, "wrong") }
