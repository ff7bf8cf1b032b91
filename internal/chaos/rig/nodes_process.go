package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Node is one server of a cluster, as a process that can be treated badly.
type Node struct {
	// Name is also the server's own.
	Name string

	tb                       testing.TB
	binary, dir              string
	client, cluster, monitor int
	process
}

// URL is the node's address for clients.
func (n *Node) URL() string { return "nats://" + n.Addr() }

// Addr is host and port for clients.
func (n *Node) Addr() string { return fmt.Sprintf("127.0.0.1:%d", n.client) }

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }

// configure writes the server's configuration.
func (n *Node) configure(o NodesOptions, routes string) {
	n.tb.Helper()
	limits := ""
	if o.SyncInterval != "" {
		limits += ", sync_interval: " + o.SyncInterval
	}
	if o.MaxFileStore != "" {
		limits += ", max_file_store: " + o.MaxFileStore
	}
	cluster := ""
	if o.Count > 1 {
		cluster = fmt.Sprintf("cluster { name: chaos, listen: \"127.0.0.1:%d\", routes: [%s] }\n", n.cluster, routes)
	}
	text := fmt.Sprintf(`server_name: %s
listen: "127.0.0.1:%d"
http: "127.0.0.1:%d"
log_file: %q
jetstream { store_dir: %q%s }
%s`, n.Name, n.client, n.monitor, n.path("log"), n.path("store"), limits, cluster)
	if err := errors.Join(os.MkdirAll(n.dir, 0o755), os.WriteFile(n.path("conf"), []byte(text), 0o600)); err != nil {
		n.tb.Fatal(err)
	}
}

// Start runs the server; it does not wait until it takes clients.
func (n *Node) Start() {
	n.tb.Helper()
	if err := n.start(exec.Command(n.binary, "-c", n.path("conf"))); err != nil {
		n.tb.Fatal(err)
	}
}

// Kill ends the process without a chance to say goodbye. What it had written
// stays written: the machine does not crash with it.
func (n *Node) Kill() { n.signalAndWait(syscall.SIGKILL) }

// Stop asks the server to shut down and waits.
func (n *Node) Stop() { n.signalAndWait(syscall.SIGTERM) }

// Freeze stops the process in the middle of whatever it does; its connections
// stay open and silent.
func (n *Node) Freeze() { n.signal(syscall.SIGSTOP) }

// Thaw lets it go on as if nothing had happened.
func (n *Node) Thaw() { n.signal(syscall.SIGCONT) }

func (n *Node) signalAndWait(s syscall.Signal) {
	if n.Running() {
		n.signal(s)
		<-n.ended
	}
}

func (n *Node) signal(s syscall.Signal) {
	if n.Running() {
		_ = n.cmd.Process.Signal(s)
	}
}

// tail is the end of the server's log.
func (n *Node) tail(lines int) string {
	text, err := os.ReadFile(n.path("log"))
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
