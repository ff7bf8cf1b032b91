package emulator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// over sends a request to a listening server, as a client would.
func (c *client) over(ctx context.Context, r *http.Request) (*http.Response, string, error) {
	c.t.Helper()
	plain := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := plain.Do(r.WithContext(ctx))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func (c *client) listen() {
	c.t.Helper()
	url, err := c.s.Listen("127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	c.base = url
}

func (c *client) fault(f Fault) string {
	c.t.Helper()
	id, err := c.s.SetFault(f)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

const faultID = "redis-fault-1"

// TestFaultAnswers checks, for each vendor, what each fault answers, how it is
// recorded, and whether the call took effect.
func TestFaultAnswers(t *testing.T) {
	t.Parallel()
	throttleCode := map[Vendor]string{
		Volcengine: "AccountFlowLimitExceeded", Huawei: "APIGW.0308", Tencent: "RequestLimitExceeded", TencentCRS: "4400",
	}
	errorCode := map[Vendor]string{Volcengine: "InternalError", Huawei: "DCS.5000", Tencent: "InternalError", TencentCRS: "6000"}
	tests := []struct {
		fault   Fault
		status  int
		body    string // a part of it
		effects int
	}{
		{Fault{Kind: FaultStatusBefore}, 502, "<html>", 0},
		{Fault{Kind: FaultStatusAfter}, 504, "<html>", 1},
		{Fault{Kind: FaultStatusBefore, Status: 503, Body: `{"busy":true}`}, 503, `{"busy":true}`, 0},
		{Fault{Kind: FaultStatusAfter, Body: "<html>sorry</html>"}, 504, "sorry", 1},
		{Fault{Kind: FaultErrorBefore, Status: 500}, 500, "", 0},
		{Fault{Kind: FaultErrorAfter, Status: 500}, 500, "", 1},
		{Fault{Kind: FaultGarbageBefore}, 200, `{"Response":{"TaskId":69`, 0},
		{Fault{Kind: FaultGarbageAfter, Body: "oops"}, 200, "oops", 1},
		{Fault{Kind: FaultEmptyBefore}, 200, "", 0},
		{Fault{Kind: FaultEmptyAfter}, 200, "", 1},
		{Fault{Kind: FaultRedirect}, 307, "", 0},
		{Fault{Kind: FaultThrottle}, 0, "", 0},
		{Fault{Kind: FaultLatency, Delay: time.Millisecond}, 200, "", 1},
	}
	for _, tt := range tests {
		forEachVendor(t, Options{}, func(t *testing.T, c *client, v vendorCalls) {
			f := tt.fault
			f.RetryAfter = "7"
			if f.Kind == FaultErrorBefore || f.Kind == FaultErrorAfter {
				f.Code = errorCode[v.vendor]
			}
			c.fault(f)
			r := c.send(v.flush(c, faultID))
			if tt.status != 0 {
				r.wantStatus(tt.status)
			}
			if !strings.Contains(r.body, tt.body) {
				t.Errorf("%s: body %s", f.Kind, r.body)
			}
			if html := strings.Contains(r.header.Get("Content-Type"), "html"); html != strings.HasPrefix(r.body, "<html>") {
				t.Errorf("%s: Content-Type %s", f.Kind, r.header.Get("Content-Type"))
			}
			if f.Code != "" {
				r.wantCode(f.Code)
			}
			if f.Kind == FaultThrottle {
				r.wantCode(throttleCode[v.vendor])
			}
			if f.Kind == FaultRedirect && r.header.Get("Location") != redirectedPath {
				t.Errorf("Location %q", r.header.Get("Location"))
			}
			if f.Kind != FaultLatency && r.header.Get("Retry-After") != "7" {
				t.Errorf("%s: no Retry-After", f.Kind)
			}
			call := c.s.Calls(Filter{})[0]
			if want := string(f.Kind); f.Kind != FaultLatency && call.Outcome != want || call.Effect != (tt.effects == 1) || call.HTTPStatus != r.status {
				t.Errorf("%s: recorded %+v", f.Kind, call)
			}
			if n := c.s.Effects().Total(faultID, Flush); n != tt.effects {
				t.Errorf("%s: %d effects, want %d", f.Kind, n, tt.effects)
			}
			if n := c.s.Faults()[0].Applied; n != 1 {
				t.Errorf("%s: applied %d times", f.Kind, n)
			}
		})
	}
}

func TestFaultDrops(t *testing.T) {
	t.Parallel()
	for kind, effects := range map[FaultKind]int{FaultDropBefore: 0, FaultDropAfter: 1} {
		forEachVendor(t, Options{}, func(t *testing.T, c *client, v vendorCalls) {
			c.listen()
			c.fault(Fault{Kind: kind, Vendor: v.vendor, Times: 1})
			if resp, body, err := c.over(t.Context(), v.flush(c, faultID)); !errors.Is(err, io.EOF) {
				t.Errorf("%s: answer %v %s, error %v; want EOF", kind, resp, body, err)
			}
			if n := c.s.Effects().Total(faultID, Flush); n != effects {
				t.Errorf("%s: %d effects, want %d", kind, n, effects)
			}
			if _, body, err := c.over(t.Context(), v.look(c, faultID)); err != nil {
				t.Errorf("after the fault: %v %s", err, body)
			}
		})
	}
}

// eventually waits for something that happens in real time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

func TestFaultHang(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.listen()
	id := c.fault(Fault{Kind: FaultHang, Instance: "redis-hang*"})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, _, err := c.over(ctx, everyVendor[0].flush(c, "redis-hang-1"))
		gone <- err
	}()
	pending := func(n int) func() bool {
		return func() bool {
			calls := c.s.Calls(Filter{})
			return len(calls) == n && calls[n-1].Outcome == OutcomePending
		}
	}
	eventually(t, "the call", pending(1))
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	eventually(t, "the end of the call", func() bool { return c.s.Calls(Filter{})[0].Outcome == "hang" })
	if n := c.s.Effects().Total("", ""); n != 0 {
		t.Fatalf("%d effects of a call that hung until its client left", n)
	}
	// One that still waits when the fault is cleared or replaced goes on.
	go func() {
		_, _, err := c.over(t.Context(), everyVendor[0].flush(c, "redis-hang-3"))
		gone <- err
	}()
	eventually(t, "another call", pending(2))
	c.fault(Fault{ID: id, Kind: FaultHang, Instance: "redis-hang-2"})
	if err := <-gone; err != nil || c.s.Effects().Total("redis-hang-3", Flush) != 1 {
		t.Errorf("error %v, effects %+v", err, c.s.Effects())
	}
	go func() {
		_, _, err := c.over(t.Context(), everyVendor[0].flush(c, "redis-hang-2"))
		gone <- err
	}()
	eventually(t, "the last call", pending(3))
	if !c.s.ClearFault(id) || c.s.ClearFault(id) {
		t.Error("the fault was not there once")
	}
	if err := <-gone; err != nil || c.s.Effects().Total("redis-hang-2", Flush) != 1 {
		t.Errorf("error %v, effects %+v", err, c.s.Effects())
	}
}

func TestFaultLateEffect(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.listen()
	c.fault(Fault{Kind: FaultLateEffect, Delay: 50 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, _, err := c.over(ctx, everyVendor[2].flush(c, faultID))
		gone <- err
	}()
	eventually(t, "the call", func() bool { return len(c.s.Calls(Filter{})) == 1 })
	cancel()
	if err := <-gone; err == nil {
		t.Fatal("got an answer")
	}
	eventually(t, "the effect", func() bool { return c.s.Effects().Total(faultID, Flush) == 1 })
	eventually(t, "the record", func() bool {
		call := c.s.Calls(Filter{})[0]
		return call.Outcome == "late_effect" && call.Effect && call.HTTPStatus == 0
	})
}

// TestLateSignature holds a request up until its signature has lapsed.
func TestLateSignature(t *testing.T) {
	t.Parallel()
	forEachVendor(t, Options{}, func(t *testing.T, c *client, v vendorCalls) {
		c.listen()
		c.fault(Fault{Kind: FaultHang})
		done := make(chan string, 1)
		go func() {
			_, body, err := c.over(t.Context(), v.flush(c, faultID))
			if err != nil {
				body = err.Error()
			}
			done <- body
		}()
		eventually(t, "the call", func() bool { return len(c.s.Calls(Filter{})) == 1 })
		c.clock.advance(16 * time.Minute)
		c.s.ClearFaults()
		<-done
		if call := c.s.Calls(Filter{})[0]; !authCode(call.Outcome) || call.Effect {
			t.Errorf("recorded %+v", call)
		}
	})
}

// TestSignatureLife gives signatures another life than the vendor's, shorter and
// longer.
func TestSignatureLife(t *testing.T) {
	t.Parallel()
	for _, life := range []time.Duration{4 * time.Second, time.Hour} {
		forEachVendor(t, Options{Quirks: Quirks{SignatureLife: life}}, func(t *testing.T, c *client, v vendorCalls) {
			young, old := v.flush(c, "redis-young"), v.flush(c, "redis-old")
			c.clock.advance(life)
			c.send(young).wantCode("ok")
			c.clock.advance(time.Second)
			if r := c.send(old); !authCode(r.code()) {
				t.Errorf("a signature of %s answered %s", life+time.Second, r.body)
			}
			if n := c.s.Effects().Total("", Flush); n != 1 {
				t.Errorf("%d effects, want 1", n)
			}
		})
	}
}

// TestSignatureLifeAndExpires: a client that asks for a longer validity does not
// get round the quirk.
func TestSignatureLifeAndExpires(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{SignatureLife: 4 * time.Second}})
	r := c.volcRequest("FlushDBInstance", obj{"InstanceId": faultID})
	r.URL.RawQuery += "&X-Expires=600"
	c.clock.advance(5 * time.Second)
	c.send(r).wantCode("InvalidTimestamp")
}

// TestLateEffectOfLapsedSignature: what arrives late is judged by its age then.
func TestLateEffectOfLapsedSignature(t *testing.T) {
	t.Parallel()
	forEachVendor(t, Options{Quirks: Quirks{SignatureLife: 4 * time.Second}}, func(t *testing.T, c *client, v vendorCalls) {
		c.listen()
		c.fault(Fault{Kind: FaultLateEffect, Delay: 100 * time.Millisecond})
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, _, err := c.over(ctx, v.flush(c, faultID))
			gone <- err
		}()
		eventually(t, "the call", func() bool { return len(c.s.Calls(Filter{})) == 1 })
		c.clock.advance(5 * time.Second)
		cancel()
		if err := <-gone; err == nil {
			t.Fatal("got an answer")
		}
		eventually(t, "the end of the call", func() bool { return c.s.Calls(Filter{})[0].Outcome == "late_effect" })
		if n := c.s.Effects().Total(faultID, Flush); n != 0 {
			t.Errorf("%d effects of a lapsed signature", n)
		}
	})
}

func TestFaultMatching(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	call := func(id string) int { return c.volc("FlushDBInstance", obj{"InstanceId": id}).status }
	for _, f := range []Fault{
		{Kind: FaultStatusBefore, Vendor: Huawei},
		{Kind: FaultStatusBefore, Action: "RestartDBInstance"},
		{Kind: FaultStatusBefore, Operation: Restore},
		{Kind: FaultStatusBefore, Instance: "redis-other"},
		{Kind: FaultStatusBefore, Instance: "redis-x*"},
	} {
		c.s.ClearFaults()
		c.fault(f)
		if got := call(faultID); got != 200 {
			t.Errorf("%+v strikes", f)
		}
	}
	for _, f := range []Fault{
		{Kind: FaultStatusBefore, Vendor: Volcengine, Action: "FlushDBInstance", Operation: Flush, Instance: faultID},
		{Kind: FaultStatusBefore, Instance: "redis-f*"},
		{Kind: FaultStatusBefore, Probability: 1},
	} {
		c.s.ClearFaults()
		c.fault(f)
		if got := call(faultID); got != 502 {
			t.Errorf("%+v does not strike", f)
		}
	}
	c.s.ClearFaults()
	c.fault(Fault{Kind: FaultStatusBefore, Times: 2})
	c.fault(Fault{Kind: FaultStatusBefore, Status: 500, Times: 1})
	got := [4]int{call(faultID), call(faultID), call(faultID), call(faultID)}
	if want := [4]int{502, 502, 500, 200}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	// Setting an id again starts its count anew and replaces it.
	c.fault(Fault{ID: "one", Kind: FaultStatusBefore, Times: 1})
	c.fault(Fault{ID: "one", Kind: FaultStatusBefore, Status: 501, Times: 1})
	if got := [2]int{call(faultID), call(faultID)}; got != [2]int{501, 200} {
		t.Errorf("got %v", got)
	}
}

func TestFaultProbability(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quotas: Quotas{Mode: QuotaOff}})
	c.fault(Fault{Kind: FaultStatusBefore, Probability: 0.5})
	struck := 0
	for range 400 {
		if c.volc("FlushDBInstance", obj{"InstanceId": faultID}).status == 502 {
			struck++
		}
	}
	if struck < 120 || struck > 280 { // eight standard deviations
		t.Errorf("struck %d of 400", struck)
	}
}

func TestFaultChecks(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, f := range []Fault{
		{}, {Kind: "boom"}, {Kind: FaultHang, Vendor: "aws"}, {Kind: FaultHang, Probability: 2}, {Kind: FaultLatency, Delay: -1},
		{Kind: FaultStatusBefore, Status: 42}, {Kind: FaultErrorBefore},
	} {
		if _, err := c.s.SetFault(f); err == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}

func TestRedirectIsRecordedWhenFollowed(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.listen()
	c.fault(Fault{Kind: FaultRedirect})
	resp, err := http.DefaultClient.Do(everyVendor[2].flush(c, faultID))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	calls := c.s.Calls(Filter{})
	if len(calls) != 2 || calls[1].Action != "redirected" || c.s.Effects().Total("", "") != 0 {
		t.Errorf("recorded %+v", calls)
	}
}
