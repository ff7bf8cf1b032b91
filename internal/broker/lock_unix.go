//go:build unix && !solaris && !illumos && !aix

package broker

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the exclusive lock without waiting.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}
