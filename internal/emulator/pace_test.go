package emulator

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// TestSlidingSecond compares the counter with a count by hand.
func TestSlidingSecond(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var m meter
		var times []time.Time
		now := time.Unix(0, 0)
		for range 500 {
			now = now.Add(time.Duration(random.IntN(40)) * 5 * time.Millisecond)
			times = append(times, now)
			m.arrive(func() time.Time { return now }, QuotaStrict, 0)
		}
		most := 0
		for i, from := range times {
			n := 0
			for _, at := range times[i:] {
				if at.Sub(from) < time.Second {
					n++
				}
			}
			most = max(most, n)
		}
		if m.most != most || m.total != 500 {
			t.Fatalf("counted %d of %d, want %d of 500", m.most, m.total, most)
		}
	}
}

// TestStrictQuota checks that no sliding second admits more than the limit, and
// that a refused call takes nothing from it.
func TestStrictQuota(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	var m meter
	var admitted []time.Time
	now := time.Unix(0, 0)
	for range 5000 {
		now = now.Add(time.Duration(random.IntN(60)) * time.Millisecond)
		if _, ok := m.arrive(func() time.Time { return now }, QuotaStrict, 7); ok {
			admitted = append(admitted, now)
		}
	}
	for i := 7; i < len(admitted); i++ {
		if admitted[i].Sub(admitted[i-7]) < time.Second {
			t.Fatalf("8 calls within %s", admitted[i].Sub(admitted[i-7]))
		}
	}
	if span := now.Sub(time.Unix(0, 0)).Seconds(); float64(len(admitted)) < span*6.5 {
		t.Errorf("only %d admitted in %.0f s", len(admitted), span)
	}
	if m.throttled != int64(5000-len(admitted)) {
		t.Errorf("throttled %d", m.throttled)
	}
}

func TestQuotaModes(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	tests := []struct {
		mode  string
		limit float64
		want  [6]bool // at 900, 950, 1000, 1050, 1899, 1900 ms
	}{
		{QuotaStrict, 2, [6]bool{true, true, false, false, false, true}},
		{QuotaClock, 2, [6]bool{true, true, true, true, false, false}},
		{QuotaStrict, 0.5, [6]bool{true, false, false, false, false, false}},
		{QuotaStrict, 0, [6]bool{true, true, true, true, true, true}},
	}
	for _, tt := range tests {
		var m meter
		for i, ms := range []int{900, 950, 1000, 1050, 1899, 1900} {
			if _, ok := m.arrive(func() time.Time { return at(ms) }, tt.mode, tt.limit); ok != tt.want[i] {
				t.Errorf("%s %v: at %d ms admitted is %t", tt.mode, tt.limit, ms, ok)
			}
		}
	}
}

func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		vendor Vendor
		action string
		want   float64
	}{
		{Volcengine, "RestartDBInstance", 20}, {Huawei, "RestoreInstance", 200}, {TencentCRS, "ClearRedis", 20},
		{Tencent, "ClearInstance", 20}, {Tencent, "DescribeTaskList", 100}, {Tencent, "DescribeInstances", 35},
		{Tencent, "DescribeInstanceBackups", 50},
	}
	for _, tt := range tests {
		if got := (Quotas{}).limit(tt.vendor, tt.action); got != tt.want {
			t.Errorf("%s %s: %v, want %v", tt.vendor, tt.action, got, tt.want)
		}
	}
	q := Quotas{PerSecond: map[string]float64{"huawei/ShowInstance": 1, "huawei": 2, "ShowInstance": 3}}
	for action, want := range map[string]float64{"ShowInstance": 1, "ListInstances": 2} {
		if got := q.limit(Huawei, action); got != want {
			t.Errorf("%s: %v, want %v", action, got, want)
		}
	}
}

func TestThrottledCalls(t *testing.T) {
	t.Parallel()
	want := map[Vendor]struct {
		code   string
		status int
	}{
		Volcengine: {"AccountFlowLimitExceeded", 429}, Huawei: {"APIGW.0308", 429}, Tencent: {"RequestLimitExceeded", 200}, TencentCRS: {"4400", 200},
	}
	forEachVendor(t, Options{Quotas: Quotas{PerSecond: map[string]float64{"volcengine": 3, "huawei": 3, "tencent": 3, "tencent-crs": 3}}},
		func(t *testing.T, c *client, v vendorCalls) {
			send := func(n int) reply { return c.send(v.flush(c, "redis-pace-"+strconv.Itoa(n))) }
			for n := range 3 {
				send(n).wantCode("ok")
			}
			r := send(3).wantCode(want[v.vendor].code).wantStatus(want[v.vendor].status)
			if r.header.Get("Retry-After") != "" {
				t.Error("Retry-After without being asked for")
			}
			if err := c.s.SetQuirks(Quirks{RetryAfter: "2"}); err != nil {
				t.Fatal(err)
			}
			if got := send(3).header.Get("Retry-After"); got != "2" {
				t.Errorf("Retry-After %q", got)
			}
			// Another action has a quota of its own.
			c.send(v.look(c, "redis-pace-0")).wantCode("ok")
			if n := c.s.Effects().Total("", Flush); n != 3 {
				t.Errorf("%d effects", n)
			}
			c.clock.advance(time.Second)
			send(3).wantCode("ok")
			if n := c.s.MaxPerSecond(v.vendor, DefaultAccessKey, "", v.flushAction); n != 5 {
				t.Errorf("%d calls in a second, want 5", n)
			}
			p := c.s.Paces()
			if len(p) != 2 || p[0].Throttled+p[1].Throttled != 2 || p[0].Total+p[1].Total != 7 || p[0].Limit != 3 {
				t.Errorf("paces %+v", p)
			}
		})
}

func TestVolcengineThrottleStatus(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{VolcengineThrottle: 400}, Quotas: Quotas{PerSecond: map[string]float64{"DescribeDBInstances": 1}}})
	c.volc("DescribeDBInstances", obj{}).wantCode("ok")
	c.volc("DescribeDBInstances", obj{}).wantCode("AccountFlowLimitExceeded").wantStatus(http.StatusBadRequest)
}

func TestStrangersShareAMeter(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for i := range 3 {
		c.key.ID = "stranger-" + strconv.Itoa(i)
		c.volc("DescribeDBInstances", obj{}).wantCode("InvalidAccessKey")
	}
	if p := c.s.Paces(); len(p) != 1 || p[0].Key != "(unknown)" || p[0].Total != 3 {
		t.Errorf("paces %+v", p)
	}
}

func TestMetersAreBounded(t *testing.T) {
	t.Parallel()
	p := newPacer(time.Now)
	for i := range maxMeters + 50 {
		p.arrive(PaceKey{Vendor: Volcengine, Key: "k", Action: strconv.Itoa(i)}, QuotaOff, 0)
	}
	if n := len(p.meters); n != maxMeters+1 {
		t.Errorf("%d meters", n)
	}
}
