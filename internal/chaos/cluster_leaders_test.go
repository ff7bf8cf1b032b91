package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
)

// nodesOf and consumersOf are the processes of a scene on a cluster; oneServer is
// the broker of one that needs none.
const nodesOf, consumersOf, oneServer = 3, 2, 1

// TestCluster treats the nodes of a three-node cluster badly, one scenario after
// the other on the same cluster, each with consumers and streams of its own.
func TestCluster(t *testing.T) {
	t.Parallel()
	reserve(t, nodesOf+consumersOf+1)
	nodes := rig.StartNodes(t, rig.NodesOptions{})
	scenarios := []struct {
		name, fault string
		short       bool
		make        func(*testing.T, *scene, *rig.Nodes)
	}{
		{"commands", "cluster: leader of the commands killed", true, killLeader("%_COMMANDS")},
		{"ledger", "cluster: leader of the ledger killed", false, killLeader("KV_?_ledger")},
		{"lane", "cluster: leader of a lane's consumer killed", false, killLaneLeader},
		{"pause", "cluster: a node paused", true, pauseLeader},
		{"roll", "cluster: every node restarted in turn", false, restartEach},
		{"all", "cluster: all nodes killed at once", false, killAll},
	}
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			if !sc.short && !rig.Full() {
				t.Skip("only with -chaos.full")
			}
			s := newScene(t, sc.name, rig.Config{Replicas: nodesOf}, []string{nodes.URL(), nodes.URL()}, nodes.URL())
			defer s.clear(nodes)
			nodes.WaitHealthy(rig.Patience)
			sc.make(t, s, nodes)
			s.settle(sc.fault)
		})
	}
}

// stream puts the scene's prefix into a stream's name: % in capitals, ? as it is.
func (s *scene) stream(pattern string) string {
	return strings.NewReplacer("%", strings.ToUpper(s.prefix), "?", s.prefix).Replace(pattern)
}

// clear stops the consumers and removes the scene's streams: a cluster that keeps
// them all grows slow.
func (s *scene) clear(nodes *rig.Nodes) {
	for _, c := range s.consumers {
		c.Kill()
	}
	for _, name := range []string{"%_COMMANDS", "%_RESULTS", "%_DEADLETTERS", "KV_?_ledger", "KV_?_leases"} {
		_ = nodes.JetStream().DeleteStream(s.t.Context(), s.stream(name))
	}
}

// killLeader kills the leader of a stream and starts it again, several times in
// the long version.
func killLeader(pattern string) func(*testing.T, *scene, *rig.Nodes) {
	return func(_ *testing.T, s *scene, nodes *rig.Nodes) {
		s.killAgain(nodes, times(1, 4), func() *rig.Node { return nodes.Leader(s.stream(pattern)) })
	}
}

// killLaneLeader kills the node that holds a lane's pull request, which then hears
// nothing any more.
func killLaneLeader(_ *testing.T, s *scene, nodes *rig.Nodes) {
	s.killAgain(nodes, times(1, 3), func() *rig.Node {
		return nodes.ConsumerLeader(s.stream("%_COMMANDS"), "huawei_huawei_cn-north-4_restart_urgent")
	})
}

// killAgain kills whichever node leads and starts it again, so many times.
func (s *scene) killAgain(nodes *rig.Nodes, n int, leads func() *rig.Node) {
	for range n {
		leader := leads()
		s.fault(leader.Kill)
		s.flows()
		leader.Start()
		nodes.WaitHealthy(rig.Patience)
		s.flows()
	}
}

// pauseLeader freezes the leader of the commands, and then that of the ledger,
// for longer than an election and than a lease take.
func pauseLeader(t *testing.T, s *scene, nodes *rig.Nodes) {
	for i := range times(1, 4) {
		stream := s.stream([]string{"%_COMMANDS", "KV_?_ledger"}[i%2])
		leader := nodes.Leader(stream)
		s.fault(leader.Freeze)
		rig.Eventually(t, "another leader of "+stream, func() bool { return nodes.Leader(stream) != leader })
		s.rest(2 * sceneLease)
		leader.Thaw()
		nodes.WaitHealthy(rig.Patience)
		s.flows()
	}
}

// restartEach is a rolling restart as an operator does it.
func restartEach(_ *testing.T, s *scene, nodes *rig.Nodes) {
	for _, node := range nodes.All() {
		s.fault(node.Stop)
		node.Start()
		nodes.WaitHealthy(rig.Patience)
		s.flows()
	}
}

// killAll takes the whole cluster away at once, for a moment and for longer than
// a lease. A consumer that is started meanwhile waits for the cluster.
func killAll(t *testing.T, s *scene, nodes *rig.Nodes) {
	late := s.prepare("all-late", rig.Config{NATS: nodes.URL(), Replicas: nodesOf})
	for _, away := range []time.Duration{0, 2 * sceneLease} {
		s.fault(func() {
			for _, node := range nodes.All() {
				node.Kill()
			}
		})
		if !late.Running() {
			s.start(late)
		}
		s.rest(away)
		for _, node := range nodes.All() {
			node.Start()
		}
		nodes.WaitHealthy(rig.Patience)
		s.flows()
		late.WaitReady()
	}
	if starts := late.LogLines("msg=ready"); len(starts) != 1 {
		t.Errorf("the late consumer was ready %d times in one start", len(starts))
	}
}

// times is a number for the short and another for the long version.
func times(short, long int) int {
	if rig.Full() {
		return long
	}
	return short
}
