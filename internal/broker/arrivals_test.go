package broker

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// logged is a log to look into while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	s := testServer(t, ServerOptions{})
	c := testConnect(t, testOptions(s))
	mustSetup(t, c)
	arrived := make(chan string, 100)
	listen := func(operation string) func() {
		stop, err := c.Arrivals(laneSubject(operation, "normal"), func() { arrived <- operation })
		if err != nil {
			t.Fatal(err)
		}
		return stop
	}
	stop := listen("restart")
	listen("flush")
	if err := c.nc.FlushTimeout(patience); err != nil {
		t.Fatal(err)
	}
	publisher := testConnect(t, testOptions(s))
	publish := func(operation string) {
		if err := publisher.Publish(testContext(t), Outgoing{Subject: laneSubject(operation, "normal")}); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(operation string) {
		t.Helper()
		publish(operation)
		select {
		case got := <-arrived:
			if got != operation {
				t.Fatalf("told of %s, want %s", got, operation)
			}
		case <-time.After(patience):
			t.Fatalf("not told of %s", operation)
		}
	}
	expect("restart")
	expect("flush")
	publish("restore") // nobody listens
	if err := c.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "arrivals are told of after a reconnect", func() bool {
		publish("restart")
		select {
		case <-arrived:
			return true
		case <-time.After(10 * time.Millisecond):
			return false
		}
	})
	stop()
	stop()
	for len(arrived) > 0 {
		<-arrived
	}
	expect("flush")
}

// A listener that is slow loses arrivals, in silence, and delays nothing else.
func TestArrivalsOverflowInSilence(t *testing.T) {
	t.Parallel()
	var log logged
	o := testOptions(testServer(t, ServerOptions{}))
	o.Logger = log.logger()
	c := testConnect(t, o)
	mustSetup(t, c)
	release := make(chan struct{})
	started := make(chan struct{}, 10*arrivalsBuffer)
	if _, err := c.Arrivals(laneSubject("restart", "normal"), func() { started <- struct{}{}; <-release }); err != nil {
		t.Fatal(err)
	}
	for range 2 * arrivalsBuffer {
		if err := c.nc.Publish(laneSubject("restart", "normal"), nil); err != nil {
			t.Fatal(err)
		}
	}
	<-started
	eventually(t, "arrivals are dropped", func() bool {
		c.arrivals.mu.Lock()
		defer c.arrivals.mu.Unlock()
		for sub := range c.arrivals.listeners {
			dropped, err := sub.Dropped()
			return err == nil && dropped > 0
		}
		return false
	})
	send(t, c, 1)
	close(release)
	if n := log.count("slow consumer"); n > 0 {
		t.Errorf("%d complaints in the log", n)
	}
}

func TestForbiddenArrivalsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	var log logged
	url := external(t, &server.Options{Users: []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{">"}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
	}}}, JetStream: true})
	o := testOptions(nil)
	o.URL, o.User, o.Password, o.Logger = url, "u", secret.New("p"), log.logger()
	c := testConnect(t, o)
	for i := range 20 {
		if _, err := c.Arrivals(fmt.Sprintf("sluice.commands.volcengine.prod.r%d.restart.normal", i), func() {}); err != nil {
			t.Fatal(err)
		}
	}
	mustSetup(t, c) // which a violation of its own would refuse
	eventually(t, "the refusal is logged", func() bool { return log.count("not allowed to listen") > 0 })
	if err := c.nc.FlushTimeout(patience); err != nil {
		t.Fatal(err)
	}
	if n := log.count("permissions violation") + log.count("Permissions Violation"); n > 2 {
		t.Errorf("logged %d times:\n%s", n, log.text.String())
	}
}

func TestWaitingOfAnAccount(t *testing.T) {
	t.Parallel()
	o := testOptions(testServer(t, ServerOptions{}))
	o.Accounts = append(o.Accounts, AccountSubject{"huawei", "prod"})
	c := testConnect(t, o)
	mustSetup(t, c)
	send(t, c, 3)
	other := "sluice.commands.huawei.prod.cn-north-4.flush.bulk"
	if err := c.Publish(testContext(t), Outgoing{Subject: other}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		vendor, subject string
		want            uint64
		subjects        int
	}{
		{"volcengine", laneSubject("restart", "normal"), 3, 1},
		{"huawei", other, 1, 1},
		{"tencent", other, 0, 0},
	} {
		got, err := c.WaitingOf(testContext(t), tt.vendor, "prod")
		if err != nil || len(got) != tt.subjects || got[tt.subject] != tt.want {
			t.Errorf("%s: waiting %v, error %v", tt.vendor, got, err)
		}
	}
}
