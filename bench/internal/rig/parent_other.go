//go:build !linux

package rig

import "syscall"

// dieWithParent can do nothing here: a killed bench leaves its processes.
func dieWithParent() *syscall.SysProcAttr { return nil }
