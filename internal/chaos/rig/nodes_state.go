package rig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// door is the connection over which a cluster is looked at, as an operator would:
// made when it is first needed, and never through a proxy.
type door struct {
	mu sync.Mutex
	nc *nats.Conn
	js jetstream.JetStream
}

func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.nc != nil {
		d.nc.Close()
	}
}

// JetStream is a connection of the test's own to the cluster.
func (n *Nodes) JetStream() jetstream.JetStream {
	n.tb.Helper()
	d := &n.door
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.js != nil {
		return d.js
	}
	var err error
	if d.nc, err = nats.Connect(n.URL(), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(100*time.Millisecond), nats.PingInterval(2*time.Second), nats.MaxPingsOutstanding(1)); err == nil {
		d.js, err = jetstream.New(d.nc, jetstream.WithDefaultTimeout(2*time.Second))
	}
	if err != nil {
		n.tb.Fatal(err)
	}
	return d.js
}

// Leader is the node that leads a stream, waiting until there is one.
func (n *Nodes) Leader(stream string) *Node {
	n.tb.Helper()
	var leader *Node
	n.poll(30*time.Second, "a leader of stream "+stream, func(ctx context.Context) error {
		s, err := n.JetStream().Stream(ctx, stream)
		if err != nil {
			return err
		}
		leader, err = n.leaderOf(s.CachedInfo().Cluster)
		return err
	})
	return leader
}

// ConsumerLeader is the node that leads a consumer.
func (n *Nodes) ConsumerLeader(stream, consumer string) *Node {
	n.tb.Helper()
	var leader *Node
	n.poll(30*time.Second, "a leader of consumer "+consumer, func(ctx context.Context) error {
		c, err := n.JetStream().Consumer(ctx, stream, consumer)
		if err != nil {
			return err
		}
		leader, err = n.leaderOf(c.CachedInfo().Cluster)
		return err
	})
	return leader
}

func (n *Nodes) leaderOf(c *jetstream.ClusterInfo) (*Node, error) {
	if c == nil || c.Leader == "" {
		return nil, errors.New("no leader")
	}
	if node := n.named(c.Leader); node != nil {
		return node, nil
	}
	return nil, fmt.Errorf("leader %s is no node of this cluster", c.Leader)
}

// WaitHealthy returns when every node says that all it keeps is recovered and
// current, and every stream and consumer has a leader and all its replicas.
func (n *Nodes) WaitHealthy(timeout time.Duration) {
	n.tb.Helper()
	n.poll(timeout, "a healthy cluster", func(ctx context.Context) error {
		for _, one := range n.nodes {
			if err := one.healthy(ctx); err != nil {
				return err
			}
		}
		return n.complete(ctx)
	})
}

// healthy asks the server's own health check, which covers its streams and
// consumers.
func (n *Node) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/healthz", n.monitor), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("node %s answers %s", n.Name, resp.Status)
	}
	return nil
}

// complete looks at every stream and consumer.
func (n *Nodes) complete(ctx context.Context) error {
	js := n.JetStream()
	if _, err := js.AccountInfo(ctx); err != nil {
		return err
	}
	streams := js.ListStreams(ctx)
	for info := range streams.Info() {
		if err := current(info.Config.Name, info.Config.Replicas, info.Cluster); err != nil {
			return err
		}
		s, err := js.Stream(ctx, info.Config.Name)
		if err != nil {
			return err
		}
		consumers := s.ListConsumers(ctx)
		for c := range consumers.Info() {
			if c.Config.Durable == "" {
				continue // a reader's own, on one node
			}
			if err := current(c.Name, info.Config.Replicas, c.Cluster); err != nil {
				return err
			}
		}
		if err := consumers.Err(); err != nil {
			return err
		}
	}
	return streams.Err()
}

// current reports what a replicated thing lacks.
func current(name string, replicas int, c *jetstream.ClusterInfo) error {
	if replicas == 1 && c == nil {
		return nil // no cluster
	}
	if c == nil || c.Leader == "" {
		return fmt.Errorf("%s has no leader", name)
	}
	if len(c.Replicas) != replicas-1 {
		return fmt.Errorf("%s has %d of %d followers", name, len(c.Replicas), replicas-1)
	}
	for _, p := range c.Replicas {
		if p.Offline || !p.Current {
			return fmt.Errorf("%s lags on %s", name, p.Name)
		}
	}
	return nil
}

// poll repeats until ok returns nil; each try has a few seconds.
func (n *Nodes) poll(timeout time.Duration, what string, ok func(context.Context) error) {
	n.tb.Helper()
	var err error
	for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err = ok(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	n.tb.Fatalf("waited %s for %s in vain: %v", timeout, what, err)
}
