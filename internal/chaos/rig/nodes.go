package rig

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/freeport"
)

// buildServer builds the NATS server once for all tests, from the release that
// this module requires anyway. It is not race-instrumented: it is the world, not
// what is tested.
var buildServer = sync.OnceValues(func() (string, error) {
	dir, err := scratchOnce()
	if err != nil {
		return "", fmt.Errorf("build nats-server: %w", err)
	}
	path := filepath.Join(dir, "nats-server")
	out, err := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build nats-server: %w: %s", err, out)
	}
	return path, nil
})

// NodesOptions says what the servers of a cluster are like.
type NodesOptions struct {
	// Count of nodes; zero means three. A single one is no cluster.
	Count int
	// SyncInterval is JetStream's; empty takes the server's default, "always"
	// flushes before every acknowledgement.
	SyncInterval string
	// MaxFileStore bounds each node's store, such as "32MB"; empty means none.
	MaxFileStore string
	// StoreDir holds the nodes' stores instead of a temporary directory.
	StoreDir string
}

// Nodes is a JetStream cluster of real processes on the loopback interface.
type Nodes struct {
	tb    testing.TB
	nodes []*Node
	door  door
}

// StartNodes starts a cluster and returns when it is healthy. The processes end
// with the test.
func StartNodes(tb testing.TB, o NodesOptions) *Nodes {
	tb.Helper()
	binary, err := buildServer()
	if err != nil {
		tb.Fatal(err)
	}
	if o.Count == 0 {
		o.Count = 3
	}
	if o.StoreDir == "" {
		o.StoreDir = tb.TempDir()
	}
	n := &Nodes{tb: tb}
	for i := range o.Count {
		n.nodes = append(n.nodes, &Node{
			tb: tb, binary: binary, Name: fmt.Sprintf("n%d", i+1), dir: filepath.Join(o.StoreDir, fmt.Sprintf("n%d", i+1)),
			client: freeport.Port(tb), cluster: freeport.Port(tb), monitor: freeport.Port(tb),
		})
	}
	for _, one := range n.nodes {
		one.configure(o, n.routes())
	}
	tb.Cleanup(n.end)
	for _, one := range n.nodes {
		one.Start()
	}
	n.WaitHealthy(time.Minute)
	return n
}

// routes are the cluster addresses of all nodes.
func (n *Nodes) routes() string {
	var out []string
	for _, one := range n.nodes {
		out = append(out, fmt.Sprintf("nats://127.0.0.1:%d", one.cluster))
	}
	return strings.Join(out, ", ")
}

// All are the nodes in the order of their names, n1 first.
func (n *Nodes) All() []*Node { return n.nodes }

// URL lists every node, for clients.
func (n *Nodes) URL() string {
	var out []string
	for _, one := range n.nodes {
		out = append(out, one.URL())
	}
	return strings.Join(out, ",")
}

// named finds a node by the name that the servers use.
func (n *Nodes) named(name string) *Node {
	for _, one := range n.nodes {
		if one.Name == name {
			return one
		}
	}
	return nil
}

// end kills what still runs, and shows the servers' logs if the test failed.
func (n *Nodes) end() {
	n.door.close()
	for _, one := range n.nodes {
		one.Kill()
		if n.tb.Failed() {
			n.tb.Logf("log of node %s, its last lines:\n%s", one.Name, one.tail(25))
		}
	}
}
