package broker

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// cleanUps run after all tests.
var cleanUps []func()

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		for _, cleanUp := range cleanUps {
			cleanUp()
		}
		os.Exit(code)
	}))
}

// patience bounds every wait of a test; none of them takes it when all is well.
const patience = 20 * time.Second

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func testServer(t testing.TB, o ServerOptions) *Server {
	t.Helper()
	o.Temporary = o.StoreDir == ""
	s, err := StartServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// testOptions are the options of a consumer with one account.
func testOptions(s *Server) Options {
	return Options{Server: s, Accounts: []AccountSubject{{"volcengine", "prod"}}, LeaseTTL: time.Minute}
}

func testConnect(t testing.TB, o Options) *Conn {
	t.Helper()
	c, err := Connect(testContext(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.WaitConnected(testContext(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// setUp is a connection to a fresh server with all streams.
func setUp(t testing.TB) *Conn {
	t.Helper()
	c := testConnect(t, testOptions(testServer(t, ServerOptions{})))
	mustSetup(t, c)
	return c
}

func mustSetup(t testing.TB, c *Conn) {
	t.Helper()
	found, err := c.Setup(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		t.Fatalf("findings on a fresh server: %v", found)
	}
}

// laneSubject is a lane of the test account.
func laneSubject(operation, priority string) string {
	return "sluice.commands.volcengine.prod.cn-beijing." + operation + "." + priority
}

func testLane(t testing.TB, c *Conn, ackWait time.Duration) *LaneQueue {
	t.Helper()
	q, err := c.Lane(testContext(t), LaneSpec{Subject: laneSubject("restart", "normal"), AckWait: ackWait, MaxPending: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// send publishes commands 1 to n on the test lane.
func send(t testing.TB, c *Conn, n int) {
	t.Helper()
	for i := 1; i <= n; i++ {
		m := Outgoing{Subject: laneSubject("restart", "normal"), Data: fmt.Appendf(nil, "%d", i)}
		if err := c.Publish(testContext(t), m); err != nil {
			t.Fatal(err)
		}
	}
}

// fetch collects exactly n messages from a queue.
func fetch(t testing.TB, q *LaneQueue, n int) []Message {
	t.Helper()
	ctx := testContext(t)
	var all []Message
	for len(all) < n {
		got, err := q.Fetch(ctx, n-len(all), time.Second)
		if err != nil {
			t.Logf("fetch: %v", err)
		}
		if ctx.Err() != nil {
			t.Fatalf("got %d of %d messages in time: %v", len(all), n, payloads(all))
		}
		all = append(all, got...)
	}
	return all
}

// fetchNone fails on any message that comes within a short while.
func fetchNone(t testing.TB, q *LaneQueue) {
	t.Helper()
	got, err := q.Fetch(testContext(t), 10, 200*time.Millisecond)
	if err != nil || len(got) > 0 {
		t.Fatalf("got messages %v, error %v; want none", payloads(got), err)
	}
}

func payloads(messages []Message) []string {
	out := make([]string, len(messages))
	for i, m := range messages {
		out[i] = string(m.Data())
	}
	return out
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// limitBytes makes a stream full at that size.
func limitBytes(t testing.TB, c *Conn, stream string, size int64) {
	t.Helper()
	s, err := c.js.Stream(testContext(t), stream)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.MaxBytes = size
	if _, err := c.js.UpdateStream(testContext(t), cfg); err != nil {
		t.Fatal(err)
	}
}

// out counts the messages that the consumer has delivered and nobody has settled.
func out(t testing.TB, q *LaneQueue) (int, error) {
	t.Helper()
	info, err := q.info(testContext(t))
	if err != nil {
		return 0, err
	}
	return info.NumAckPending, nil
}
