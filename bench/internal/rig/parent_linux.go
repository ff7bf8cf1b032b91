package rig

import "syscall"

// dieWithParent keeps no process behind when the bench is killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
