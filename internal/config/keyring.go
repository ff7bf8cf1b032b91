package config

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// lookAgain is how often files are looked at.
	lookAgain = time.Second
	// fresh is the age up to which a file may change again without a new time
	// stamp, so that its content must be read to be sure.
	fresh = 2 * time.Second
)

// keyring holds credentials in memory and the way to read them again.
type keyring struct {
	owner string
	// load reads everything; paths are the files that it reads.
	load  func() (Resolved, error)
	paths []string
	files files

	mu     sync.Mutex
	last   Resolved
	err    error
	looked time.Time
	stamps []stamp
}

// stamp is what shows that a file has changed.
type stamp struct {
	modified time.Time
	size     int64
}

// get is the key of the moment. A file that cannot be read any more is an error,
// not a reason to go on with the old key: that would hide the mistake until the
// next start.
func (k *keyring) get() (Resolved, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.load == nil {
		return k.last, nil
	}
	now := time.Now()
	if !k.looked.IsZero() && (len(k.paths) == 0 || now.Sub(k.looked) < lookAgain) {
		return k.last, k.err
	}
	// Stamped before reading, so that a change in between is seen next time.
	stamps, settled := k.stat(now)
	unchanged := settled && k.err == nil && slices.Equal(stamps, k.stamps)
	if !unchanged || k.looked.IsZero() {
		k.last, k.err = k.load()
	}
	k.looked, k.stamps = now, stamps
	if k.err != nil {
		k.err = fmt.Errorf("reading the credentials of account %s: %w", k.owner, k.err)
	}
	return k.last, k.err
}

// stat stamps all files. They are settled if each can be stamped and is old
// enough for its stamp to mean something.
func (k *keyring) stat(now time.Time) ([]stamp, bool) {
	if k.files.stat == nil {
		return nil, false
	}
	stamps, settled := make([]stamp, len(k.paths)), true
	for i, path := range k.paths {
		info, err := k.files.stat(path)
		if err != nil {
			return nil, false
		}
		stamps[i] = stamp{info.ModTime(), info.Size()}
		settled = settled && now.Sub(info.ModTime()) > fresh
	}
	return stamps, settled
}
