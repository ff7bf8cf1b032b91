//go:build !unix || solaris || illumos || aix

package broker

import "os"

// lockFile does nothing where the system has no flock; there only the listening
// port keeps two servers apart.
func lockFile(*os.File) error { return nil }
