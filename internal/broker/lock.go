package broker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lockName is the file in a store directory that its user holds locked.
const lockName = "sluice.lock"

// errHeld is what the operating system's lock reports when another holds it.
var errHeld = errors.New("locked")

// dirLock keeps a second process from opening the same store: two servers on
// one directory destroy it without a word.
type dirLock struct{ file *os.File }

// lockDir takes the lock of a directory or says who holds it. The file itself
// stays behind on release: removing it would let two processes lock two files
// of the same name.
func lockDir(dir string) (*dirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create store directory %s: %w; choose another place or fix its permissions", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write to store directory %s: %w; choose another place or fix its permissions", dir, err)
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		if errors.Is(err, errHeld) {
			return nil, fmt.Errorf("store directory %s is in use by %s; stop that process or choose another directory", dir, holder(f))
		}
		return nil, fmt.Errorf("lock store directory %s: %w", dir, err)
	}
	return &dirLock{file: f}, sign(f)
}

// release gives the directory free; the operating system does the same for a
// process that died.
func (l *dirLock) release() error { return l.file.Close() }

// sign writes into the lock file who holds it, for the next one's error.
func sign(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	text := fmt.Sprintf("process %d on %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("sign %s: %w", f.Name(), err)
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("sign %s: %w", f.Name(), err)
	}
	return nil
}

// holder reads back what sign wrote.
func holder(f *os.File) string {
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if who := strings.TrimSpace(string(text)); err == nil && who != "" {
		return who
	}
	return "another process"
}
