package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a hand-moved clock.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// client signs requests for all four clouds and sends them to a server in
// process.
type client struct {
	t     *testing.T
	s     *Server
	clock *clock
	key   Key
	base  string
	nonce int
}

func newClient(t *testing.T, o Options) *client {
	t.Helper()
	c := &client{t: t, clock: newClock(), key: Key{ID: DefaultAccessKey, Secret: DefaultSecretKey}, base: "http://cloud.test:8443"}
	if o.Now == nil {
		o.Now = c.clock.now
	}
	c.s = New(o)
	t.Cleanup(func() { _ = c.s.Close() })
	return c
}

// reply is an answer with its JSON, if it holds any.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (c *client) send(r *http.Request) reply {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	out := reply{t: c.t, status: w.Code, header: w.Header(), body: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &out.json)
	return out
}

// at walks into the JSON; numbers in the path index arrays.
func (r reply) at(path string) any {
	var v any = r.json
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (r reply) text(path string) string {
	switch v := r.at(path).(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (r reply) want(path, value string) reply {
	r.t.Helper()
	if got := r.text(path); got != value {
		r.t.Fatalf("%s: got %q, want %q in HTTP %d %s", path, got, value, r.status, r.body)
	}
	return r
}

func (r reply) wantStatus(n int) reply {
	r.t.Helper()
	if r.status != n {
		r.t.Fatalf("got HTTP %d, want %d: %s", r.status, n, r.body)
	}
	return r
}

// code is the vendor's error code in any of the four envelopes, or ok.
func (r reply) code() string {
	for _, path := range []string{"ResponseMetadata.Error.Code", "error_code", "Response.Error.Code"} {
		if s := r.text(path); s != "" {
			return s
		}
	}
	if s := r.text("code"); s != "" && s != "0" {
		return s
	}
	return "ok"
}

func (r reply) wantCode(code string) reply {
	r.t.Helper()
	if got := r.code(); got != code {
		r.t.Fatalf("got code %q, want %q: HTTP %d %s", got, code, r.status, r.body)
	}
	return r
}

func (c *client) request(method, path string, body []byte) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	if text, ok := v.(string); ok {
		return []byte(text)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

type obj = map[string]any

func (c *client) volcRequest(action string, body any) *http.Request {
	raw := encode(c.t, body)
	r := c.request("POST", "/?Action="+action+"&Version="+volcVersion, raw)
	stamp := c.clock.now().UTC().Format(compactTime)
	r.Header.Set("X-Date", stamp)
	r.Header.Set("Content-Type", "application/json")
	signed := []string{"content-type", "host", "x-date"}
	if c.key.SessionToken != "" {
		r.Header.Set("X-Security-Token", c.key.SessionToken)
		signed = append(signed, "x-security-token")
	}
	scope := []string{c.key.ID, stamp[:8], "cn-beijing", "redis", "request"}
	sig := volcSignature(volcSigningKey(c.key.Secret, scope), r, raw, r.Host, signed, scope)
	r.Header.Set("Authorization", volcAlgorithm+" Credential="+strings.Join(scope, "/")+", SignedHeaders="+strings.Join(signed, ";")+", Signature="+sig)
	return r
}

func (c *client) volc(action string, body any) reply {
	c.t.Helper()
	return c.send(c.volcRequest(action, body))
}

const testProject = "0123456789abcdef0123456789abcdef"

func (c *client) hwRequest(method, path string, body any) *http.Request {
	var raw []byte
	if body != nil {
		raw = encode(c.t, body)
	}
	r := c.request(method, "/v2/"+testProject+"/"+path, raw)
	r.Header.Set("X-Sdk-Date", c.clock.now().UTC().Format(compactTime))
	r.Header.Set("X-Project-Id", testProject)
	signed := []string{"host", "x-project-id", "x-sdk-date"}
	if c.key.SessionToken != "" {
		r.Header.Set("X-Security-Token", c.key.SessionToken)
		signed = append(signed, "x-security-token")
	}
	r.Header.Set("Authorization", hwAlgorithm+" Access="+c.key.ID+", SignedHeaders="+strings.Join(signed, ";")+
		", Signature="+hwSignature(c.key.Secret, r, raw, signed))
	return r
}

func (c *client) hw(method, path string, body any) reply {
	c.t.Helper()
	return c.send(c.hwRequest(method, path, body))
}

func (c *client) tcRequest(action string, body any) *http.Request {
	raw := encode(c.t, body)
	r := c.request("POST", "/", raw)
	now := c.clock.now().UTC()
	stamp := strconv.FormatInt(now.Unix(), 10)
	for name, value := range map[string]string{
		"X-TC-Action": action, "X-TC-Version": tcVersion, "X-TC-Timestamp": stamp, "X-TC-Region": "ap-guangzhou",
		"Content-Type": "application/json", "X-TC-Token": c.key.SessionToken,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	signed := []string{"content-type", "host"}
	scope := []string{c.key.ID, now.Format(time.DateOnly), "redis", "tc3_request"}
	sig := tcSignature(tcSigningKey(c.key.Secret, scope), r, raw, canonicalHeaders(r, r.Host, signed), signed, scope, stamp)
	r.Header.Set("Authorization", tc3Algorithm+" Credential="+strings.Join(scope, "/")+", SignedHeaders=content-type;host, Signature="+sig)
	return r
}

func (c *client) tc(action string, body any) reply {
	c.t.Helper()
	return c.send(c.tcRequest(action, body))
}

// crsParams completes and signs the parameters of a CRS call.
func (c *client) crsParams(method, action string, more ...string) url.Values {
	c.nonce++
	p := url.Values{
		"Action": {action}, "Region": {"gz"}, "Timestamp": {strconv.FormatInt(c.clock.now().Unix(), 10)},
		"Nonce": {strconv.Itoa(c.nonce)}, "SecretId": {c.key.ID}, "SignatureMethod": {"HmacSHA256"},
	}
	if c.key.SessionToken != "" {
		p.Set("Token", c.key.SessionToken)
	}
	for i := 0; i < len(more); i += 2 {
		p.Set(more[i], more[i+1])
	}
	host := strings.TrimPrefix(c.base, "http://")
	p.Set("Signature", crsSignature(c.key.Secret, p.Get("SignatureMethod"), crsStringToSign(method, host, crsPath, p)))
	return p
}

func (c *client) crsRequest(action string, more ...string) *http.Request {
	r := c.request("POST", crsPath, []byte(c.crsParams("POST", action, more...).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (c *client) crs(action string, more ...string) reply {
	c.t.Helper()
	return c.send(c.crsRequest(action, more...))
}

// vendorCalls makes the same two calls at any vendor: a flush of an instance
// and a look-up of it.
type vendorCalls struct {
	vendor      Vendor
	flushAction string
	flush, look func(c *client, id string) *http.Request
}

var everyVendor = []vendorCalls{
	{
		Volcengine, "FlushDBInstance",
		func(c *client, id string) *http.Request {
			return c.volcRequest("FlushDBInstance", obj{"InstanceId": id})
		},
		func(c *client, id string) *http.Request {
			return c.volcRequest("DescribeDBInstanceDetail", obj{"InstanceId": id})
		},
	},
	{
		Huawei, "RestartOrFlushInstances",
		func(c *client, id string) *http.Request {
			return c.hwRequest("PUT", "instances/status", obj{"instances": []string{id}, "action": "flush"})
		},
		func(c *client, id string) *http.Request { return c.hwRequest("GET", "instances/"+id, nil) },
	},
	{
		Tencent, "ClearInstance",
		func(c *client, id string) *http.Request { return c.tcRequest("ClearInstance", obj{"InstanceId": id}) },
		func(c *client, id string) *http.Request {
			return c.tcRequest("DescribeInstances", obj{"InstanceId": id})
		},
	},
	{
		TencentCRS, "ClearRedis",
		func(c *client, id string) *http.Request {
			return c.crsRequest("ClearRedis", "redisId", id, "password", "Pass1word")
		},
		func(c *client, id string) *http.Request {
			return c.crsRequest("DescribeRedis", "redisId", id, "limit", "10", "offset", "0")
		},
	},
}

func forEachVendor(t *testing.T, o Options, test func(t *testing.T, c *client, v vendorCalls)) {
	t.Helper()
	for _, v := range everyVendor {
		t.Run(string(v.vendor), func(t *testing.T) {
			t.Parallel()
			test(t, newClient(t, o), v)
		})
	}
}
