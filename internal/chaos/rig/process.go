package rig

import "os/exec"

// process is a program that runs, ends, and may be started again.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // of the latest start; nil before the first
}

// start starts the command; it dies with this process.
func (p *process) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	return nil
}

// Running reports whether the process lives, frozen or not.
func (p *process) Running() bool {
	if p.ended == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}
