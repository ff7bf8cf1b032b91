package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// SyncAlways makes a NATS server write through to the disk at every message;
// SyncDefault leaves that to the server's own interval.
const (
	SyncDefault = ""
	SyncAlways  = "always"
)

// NATS is one NATS server.
type NATS struct {
	*Process
	URL string
}

// StartNATS runs a server with an empty store, on a port of its own choice.
func (r *Rig) StartNATS(ctx context.Context, sync string) (*NATS, error) {
	dir, err := r.Scratch("nats-server")
	if err != nil {
		return nil, err
	}
	interval := ""
	if sync != SyncDefault {
		interval = ", sync_interval: " + sync
	}
	conf := fmt.Sprintf("server_name: bench\nlisten: \"127.0.0.1:-1\"\nports_file_dir: %q\njetstream { store_dir: %q%s }\n",
		dir, filepath.Join(dir, "store"), interval)
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, fmt.Errorf("rig: start NATS: %w", err)
	}
	p, err := r.Start("nats-server", dir, nil, "-c", file)
	if err != nil {
		return nil, err
	}
	n := &NATS{Process: p}
	return n, Await(ctx, 20*time.Second, 5*time.Millisecond, "the NATS server", n.listens, p)
}

// listens reads where the server listens, once it does.
func (n *NATS) listens() bool {
	text, err := os.ReadFile(filepath.Join(n.Dir, fmt.Sprintf("nats-server_%d.ports", n.PID())))
	var ports struct{ NATS []string }
	if err != nil || json.Unmarshal(text, &ports) != nil || len(ports.NATS) == 0 {
		return false
	}
	n.URL = ports.NATS[0]
	return true
}

// Stop ends the server and removes its store, which may be large.
func (n *NATS) Stop() error {
	err := n.Process.Stop()
	_ = os.RemoveAll(filepath.Join(n.Dir, "store"))
	return err
}
