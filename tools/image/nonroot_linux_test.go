package main

import (
	"os"
	"os/exec"
	"syscall"
)

// asNonRoot runs a command as the image's user, if this process may.
func asNonRoot(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: userID, Gid: userID}}
	}
}
