package emulator

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestListenAndClose(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.listen()
	if _, err := c.s.Listen("127.0.0.1:0"); err == nil {
		t.Error("listens twice")
	}
	for _, v := range everyVendor {
		if resp, body, err := c.over(t.Context(), v.look(c, "redis-1")); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %s", v.vendor, err, body)
		}
	}
	c.fault(Fault{Kind: FaultHang})
	done := make(chan error, 1)
	go func() { _, _, err := c.over(t.Context(), everyVendor[0].look(c, "redis-1")); done <- err }()
	eventually(t, "the call", func() bool { return len(c.s.Calls(Filter{})) == 5 })
	for range 2 {
		if err := c.s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; err == nil {
		t.Error("a call that hung was answered")
	}
	if _, err := New(Options{}).Listen("nowhere:x"); err == nil {
		t.Error("listens on nonsense")
	}
}

func TestInvalidOptionsPanic(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Quirks: Quirks{CRSCode: "x"}}, {Quotas: Quotas{Mode: "x"}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is accepted", o)
				}
			}()
			New(o)
		}()
	}
}

func TestCustomCredentials(t *testing.T) {
	t.Parallel()
	forEachVendor(t, Options{AccessKey: "mine", SecretKey: "hidden"}, func(t *testing.T, c *client, v vendorCalls) {
		if code := c.send(v.look(c, "redis-1")).code(); code == "ok" {
			t.Error("the default key still works")
		}
		c.key = Key{ID: "mine", Secret: "hidden"}
		c.send(v.look(c, "redis-1")).wantCode("ok")
	})
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	tr := Transitions{Restart: 10 * time.Second, Flush: -1, Scale: 0.5}.withDefaults()
	for op, want := range map[Operation]time.Duration{Restart: 5 * time.Second, Flush: 0, Restore: 1500 * time.Millisecond, SoftRestart: 500 * time.Millisecond, Backup: 500 * time.Millisecond} {
		if got := tr.of(op); got != want {
			t.Errorf("%s takes %s, want %s", op, got, want)
		}
	}
	c := newClient(t, Options{Transitions: Transitions{Scale: -1}})
	for range 3 {
		c.volc("RestartDBInstance", obj{"InstanceId": volcID}).wantCode("ok")
	}
}

func TestBusyAcceptedCountsViolations(t *testing.T) {
	t.Parallel()
	forEachVendor(t, Options{Quirks: Quirks{BusyAccepted: true, VolcengineFlush: "async"}}, func(t *testing.T, c *client, v vendorCalls) {
		for range 3 {
			c.send(v.flush(c, "redis-busy-1")).wantCode("ok")
		}
		if got, want := c.s.Effects().Violations, (Violations{ConcurrentEffects: 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestOverlappingRequests(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.listen()
	c.fault(Fault{Kind: FaultHang, Operation: Flush})
	done := make(chan error, 3)
	for i, r := range []*http.Request{
		c.volcRequest("FlushDBInstance", obj{"InstanceId": "redis-1"}),
		c.volcRequest("FlushDBInstance", obj{"InstanceId": "redis-1"}),
		c.volcRequest("FlushDBInstance", obj{"InstanceId": "redis-2"}),
	} {
		go func() { _, _, err := c.over(t.Context(), r); done <- err }()
		eventually(t, "the call", func() bool { return len(c.s.Calls(Filter{})) == i+1 })
	}
	c.volc("DescribeDBInstanceDetail", obj{"InstanceId": "redis-1"}) // a look-up does not count
	eventually(t, "the count", func() bool { return c.s.Effects().OverlappingRequests == 1 })
	c.s.ClearFaults()
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	// In turn they do not overlap.
	c.volc("FlushDBInstance", obj{"InstanceId": "redis-1"})
	if n := c.s.Effects().OverlappingRequests; n != 1 {
		t.Errorf("%d overlapping", n)
	}
}

func TestRecordIsBounded(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{RecordLimit: 5, Quotas: Quotas{Mode: QuotaOff}})
	for i := range 13 {
		c.volc("FlushDBInstance", obj{"InstanceId": fmt.Sprintf("redis-%02d", i)})
	}
	calls := c.s.Calls(Filter{})
	if len(calls) != 5 || calls[0].Instances[0] != "redis-08" || calls[4].Instances[0] != "redis-12" {
		t.Errorf("kept %+v", calls)
	}
	if calls := c.s.Calls(Filter{Limit: 2}); len(calls) != 2 || calls[1].Instances[0] != "redis-12" {
		t.Errorf("the newest two are %+v", calls)
	}
	if n := c.s.Effects().Total("", Flush); n != 13 {
		t.Errorf("%d effects", n)
	}
	if n := c.s.MaxPerSecond(Volcengine, "", "", ""); n != 13 {
		t.Errorf("%d in a second", n)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quotas: Quotas{Mode: QuotaOff}, Transitions: Transitions{Flush: -1}})
	for range historyLimit + 20 {
		c.tc("ClearInstance", obj{"InstanceId": tcID}).wantCode("ok")
	}
	c.tc("DescribeTaskList", obj{}).want("Response.TotalCount", strconv.Itoa(historyLimit))
	if e := c.s.Effects().Effects[0]; e.Count != historyLimit+20 || len(e.Times) != effectTimes {
		t.Errorf("count %d, %d times", e.Count, len(e.Times))
	}
}

func TestTaskNumbersAreBounded(t *testing.T) {
	t.Parallel()
	s := newStore()
	for _, id := range []int64{1, 2, taskMemory + 1} {
		s.file(id, &instance{})
	}
	if len(s.tasks) != 2 || s.tasks[1] != nil {
		t.Errorf("remembers %d numbers", len(s.tasks))
	}
}

// TestConcurrentUse lets the race detector look at everything at once, and
// checks that one instance takes one of many simultaneous orders.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := New(Options{Quotas: Quotas{Mode: QuotaOff}})
	var all sync.WaitGroup
	for n := range 8 {
		c := &client{t: t, s: s, clock: newClock(), key: Key{ID: DefaultAccessKey, Secret: DefaultSecretKey}, base: "http://cloud.test", nonce: n * 1000}
		c.clock.at = time.Now()
		all.Go(func() {
			for i := range 10 {
				for _, v := range everyVendor[1:] {
					c.send(v.flush(c, "redis-shared"))
					c.send(v.look(c, "redis-"+strconv.Itoa(i)))
				}
				s.Effects()
				s.Paces()
				s.Calls(Filter{Limit: 3})
				_, _ = s.SetFault(Fault{ID: "f", Kind: FaultStatusBefore, Instance: "nobody"})
				_ = s.SetQuirks(Quirks{})
				s.ClearFaults()
			}
		})
	}
	all.Wait()
	if v := s.Effects(); v.ConcurrentEffects != 0 {
		t.Errorf("%+v", v.Violations)
	}
}

// BenchmarkCall is the price of one signed look-up over loopback, the client's
// part included.
func BenchmarkCall(b *testing.B) {
	s := New(Options{Quotas: Quotas{Mode: QuotaOff}})
	url, err := s.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), "GET", url+"/v2/p/instances/redis-1", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("X-Sdk-Date", time.Now().UTC().Format(compactTime))
		signed := []string{"host", "x-sdk-date"}
		r.Header.Set("Authorization", hwAlgorithm+" Access="+DefaultAccessKey+", SignedHeaders=host;x-sdk-date, Signature="+hwSignature(DefaultSecretKey, r, nil, signed))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
	}
}
