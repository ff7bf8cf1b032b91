package chaos

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/freeport"
)

// TestStoreLimit lets other streams of the same server eat the room that
// JetStream may use (max_file_store).
func TestStoreLimit(t *testing.T) {
	t.Parallel()
	if !rig.Full() {
		t.Skip("only with -chaos.full")
	}
	reserve(t, oneServer+consumersOf)
	nodes := rig.StartNodes(t, rig.NodesOptions{Count: oneServer, MaxFileStore: "16MB"})
	s := newScene(t, "store", rig.Config{}, []string{nodes.URL(), nodes.URL()}, nodes.URL())
	js := nodes.JetStream()
	for range 2 {
		commands := s.stream("%_COMMANDS")
		s.untilMore("errors that name "+commands, func() int { return s.complaints(commands, broker.ErrFull) }, func() {
			s.fault(func() { fill(t, js) })
		})
		rig.Eventually(t, "the log names a full stream", func() bool { return s.lines(broker.ErrFull.Error(), s.prefix) > 0 })
		s.rest(sceneLease)
		if err := js.DeleteStream(t.Context(), "FILLER"); err != nil {
			t.Fatal(err)
		}
		s.flows()
	}
	s.settle("JetStream's store limit reached (max_file_store)")
}

// fill stores until the server takes no more.
func fill(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "FILLER", Subjects: []string{"filler"}}); err != nil {
		t.Fatal(err)
	}
	for size := 512 << 10; size > 64; {
		if _, err := js.Publish(t.Context(), "filler", make([]byte, size)); err != nil {
			size /= 2 // to the last byte
		}
	}
}

// TestDiskFull fills a real file system under the broker's store.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if !rig.Full() {
		t.Skip("only with -chaos.full")
	}
	t.Run("external", func(t *testing.T) {
		reserve(t, oneServer+consumersOf)
		dir := smallDisk(t, "24m")
		nodes := rig.StartNodes(t, rig.NodesOptions{Count: oneServer, StoreDir: dir})
		s := newScene(t, "disk", rig.Config{}, []string{nodes.URL(), nodes.URL()}, nodes.URL())
		commands := s.stream("%_COMMANDS")
		s.untilMore("errors that name "+commands, func() int { return s.complaints(commands, context.DeadlineExceeded) }, func() {
			s.fault(func() { fillDisk(t, dir) })
		})
		rig.Eventually(t, "leases run out, and the log says on which stream", func() bool {
			return s.lines("level=WARN", "lease ran out", s.stream("KV_?_leases")) > 0
		})
		freeDisk(t, dir)
		// The server gives no answer to what it could not write, and none
		// afterwards either, until it is started again.
		nodes.All()[0].Stop()
		nodes.All()[0].Start()
		s.flows()
		s.settle("file system full under the server")
	})
	t.Run("embedded", func(t *testing.T) {
		reserve(t, 1)
		dir, listen := smallDisk(t, "24m"), freeport.Address(t)
		s := prepareScene(t, "embeddeddisk", "nats://"+listen)
		c := s.add("embeddeddisk", rig.Config{StoreDir: filepath.Join(dir, "store"), Listen: listen})
		s.open()
		s.untilMore("errors that name a stream", func() int { return s.lines("level=ERROR", s.prefix) }, func() {
			s.fault(func() { fillDisk(t, dir) })
		})
		s.rest(sceneLease)
		freeDisk(t, dir)
		if code, took := c.Term(); code != 0 {
			t.Errorf("exit code %d after %s on a full disk", code, took)
		}
		s.start(c)
		c.WaitReady()
		s.flows()
		s.settle("file system full under the embedded server")
	})
}

const filler = "filler"

// fillDisk leaves no byte free.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, filler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			if !strings.Contains(err.Error(), "no space left") {
				t.Fatal(err)
			}
			size /= 2
		}
	}
}

func freeDisk(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, filler)); err != nil {
		t.Fatal(err)
	}
}
