package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopPatience is how long a process may take to stop when it is asked to.
const stopPatience = 20 * time.Second

// Process is a program that runs.
type Process struct {
	// Name is for messages; Dir is its own directory.
	Name, Dir string

	cmd      *exec.Cmd
	ended    chan struct{}
	profiled bool // writes its profiles at SIGUSR1
}

// Start runs a program the rig can build, in a new directory, with additions
// ("NAME=value") to an environment that holds nothing of this one's.
func (r *Rig) Start(program, dir string, env []string, args ...string) (*Process, error) {
	path, err := r.Build(program)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		if dir, err = r.Scratch(program); err != nil {
			return nil, err
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, fmt.Errorf("rig: start %s: %w", program, err)
	}
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}, env...)
	cmd.SysProcAttr = dieWithParent()
	p := &Process{Name: program, Dir: dir, cmd: cmd, ended: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("rig: start " + program + ": the bench is ending")
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("rig: start %s: %w", program, err)
	}
	r.running = append(r.running, p)
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Running reports whether the process lives, frozen or not.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Signal sends a signal to a process that runs.
func (p *Process) Signal(s syscall.Signal) {
	if p.Running() {
		_ = p.cmd.Process.Signal(s)
	}
}

// Freeze stops the process where it stands; Thaw lets it go on.
func (p *Process) Freeze() { p.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() { p.Signal(syscall.SIGCONT) }

// Stop asks the process to end and waits until it has.
func (p *Process) Stop() error {
	if p.profiled {
		p.writeProfiles()
	}
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopPatience):
		p.Kill()
		return fmt.Errorf("rig: %s did not stop within %s and was killed; its log ends: %s", p.Name, stopPatience, p.Tail(5))
	}
}

// writeProfiles asks for the profiles and gives the process a moment for them.
func (p *Process) writeProfiles() {
	p.Signal(syscall.SIGUSR1)
	for end := time.Now().Add(stopPatience); p.Running() && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(p.Tail(1), "profiles written") {
			return
		}
	}
}

// Kill ends the process without a chance to say goodbye, and waits.
func (p *Process) Kill() {
	if p.Running() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// Log is everything the process has said.
func (p *Process) Log() string {
	text, err := os.ReadFile(filepath.Join(p.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Tail is the end of the log.
func (p *Process) Tail(lines int) string {
	all := strings.Split(strings.TrimSpace(p.Log()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// logValue is the value of name=value in the first log line that holds the
// words, empty if there is none yet.
func (p *Process) logValue(words, name string) string {
	for line := range strings.Lines(p.Log()) {
		if !strings.Contains(line, words) {
			continue
		}
		if _, rest, ok := strings.Cut(line, name+"="); ok {
			value, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			return strings.Trim(value, `"`)
		}
	}
	return ""
}
