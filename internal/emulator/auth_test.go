package emulator

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// authCase is one thing wrong with a look-up.
type authCase struct {
	name string
	// key replaces the client's, spoil changes the signed request, late moves
	// the server's clock after signing.
	key   Key
	spoil func(*http.Request)
	late  time.Duration
	code  string
	http  int
}

var good = Key{ID: DefaultAccessKey, Secret: DefaultSecretKey}

// temporary is a key that needs a session token.
var temporary = Key{ID: "temporary", Secret: "s", SessionToken: "token-1"}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	drop := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	stranger, wrong := Key{ID: "stranger", Secret: "s"}, Key{ID: DefaultAccessKey, Secret: "other"}
	bad, none := Key{ID: "temporary", Secret: "s", SessionToken: "token-2"}, Key{ID: "temporary", Secret: "s"}
	const minute = time.Minute
	cases := map[Vendor][]authCase{
		Volcengine: {
			{"good", good, nil, 0, "ok", 200},
			{"almost too late", good, nil, 15 * minute, "ok", 200},
			{"good temporary key", temporary, nil, 0, "ok", 200},
			{"no signature", good, drop("Authorization"), 0, "MissingAuthenticationToken", 401},
			{"malformed", good, set("Authorization", "HMAC-SHA256 nonsense"), 0, "InvalidAuthorization", 400},
			{"signature missing", good, set("Authorization", "HMAC-SHA256 Credential=a/20260102/r/redis/request, SignedHeaders=host;x-date"), 0, "MissingSignature", 401},
			{"scope", good, set("Authorization", "HMAC-SHA256 Credential=a/20260102/r/ecs/request, SignedHeaders=host;x-date, Signature=1"), 0, "InvalidCredential", 400},
			{"scope of another day", good, set("Authorization", "HMAC-SHA256 Credential=a/20260101/r/redis/request, SignedHeaders=host;x-date, Signature=1"), 0, "InvalidCredential", 400},
			{"host unsigned", good, set("Authorization", "HMAC-SHA256 Credential=a/20260102/r/redis/request, SignedHeaders=x-date, Signature=1"), 0, "InvalidAuthorization", 400},
			{"no date", good, drop("X-Date"), 0, "InvalidTimestamp", 400},
			{"unknown key", stranger, nil, 0, "InvalidAccessKey", 401},
			{"wrong secret", wrong, nil, 0, "SignatureDoesNotMatch", 401},
			{"changed header", good, set("Content-Type", "text/plain"), 0, "SignatureDoesNotMatch", 401},
			{"body hash", good, set("X-Content-Sha256", "00"), 0, "SignatureDoesNotMatch", 401},
			{"late", good, nil, 15*minute + time.Second, "InvalidTimestamp", 400},
			{"early", good, nil, -15*minute - time.Second, "InvalidTimestamp", 400},
			{"wrong token", bad, nil, 0, "InvalidSecretToken", 401},
			{"missing token", none, nil, 0, "InvalidSecretToken", 401},
			{"token for a lasting key", good, set("X-Security-Token", "x"), 0, "InvalidSecretToken", 401},
			{"method", good, func(r *http.Request) { r.Method = "GET" }, 0, "MethodNotAllowed", 405},
			{"no version", good, func(r *http.Request) { r.URL.RawQuery = "Action=DescribeDBInstances" }, 0, "MissingParameter", 400},
			{"other version", good, func(r *http.Request) { r.URL.RawQuery = "Action=DescribeDBInstances&Version=1" }, 0, "InvalidActionOrVersion", 404},
		},
		Huawei: {
			{"good", good, nil, 0, "ok", 200},
			{"almost too late", good, nil, 15 * minute, "ok", 200},
			{"good temporary key", temporary, nil, 0, "ok", 200},
			{"no signature", good, drop("Authorization"), 0, "DCS.1003", 401},
			{"IAM token", good, func(r *http.Request) { r.Header.Del("Authorization"); r.Header.Set("X-Auth-Token", "t") }, 0, "DCS.1001", 401},
			{"malformed", good, set("Authorization", "SDK-HMAC-SHA256 x"), 0, "APIGW.0301", 401},
			{"date unsigned", good, set("Authorization", "SDK-HMAC-SHA256 Access=emulator-key, SignedHeaders=host, Signature=0"), 0, "APIGW.0301", 401},
			{"no date", good, drop("X-Sdk-Date"), 0, "APIGW.0301", 401},
			{"unknown key", stranger, nil, 0, "APIGW.0301", 401},
			{"wrong secret", wrong, nil, 0, "APIGW.0301", 401},
			{"changed header", good, set("X-Project-Id", "other"), 0, "APIGW.0301", 401},
			{"late", good, nil, 15*minute + time.Second, "APIGW.0301", 401},
			{"early", good, nil, -15*minute - time.Second, "APIGW.0301", 401},
			{"wrong token", bad, nil, 0, "APIGW.0307", 401},
			{"missing token", none, nil, 0, "APIGW.0307", 401},
			{"token unsigned", good, set("X-Security-Token", "x"), 0, "APIGW.0301", 401},
			{"project of another", Key{ID: "bound", Secret: "s"}, nil, 0, "DCS.1004", 401},
		},
		Tencent: {
			{"good", good, nil, 0, "ok", 200},
			{"almost too late", good, nil, 5 * minute, "ok", 200},
			{"good temporary key", temporary, nil, 0, "ok", 200},
			{"no action", good, drop("X-TC-Action"), 0, "MissingParameter", 200},
			{"no version", good, drop("X-TC-Version"), 0, "MissingParameter", 200},
			{"no timestamp", good, drop("X-TC-Timestamp"), 0, "MissingParameter", 200},
			{"no region", good, drop("X-TC-Region"), 0, "MissingParameter", 200},
			{"other version", good, set("X-TC-Version", "2017-03-12"), 0, "NoSuchVersion", 200},
			{"legacy region", good, set("X-TC-Region", "gz"), 0, "UnsupportedRegion", 200},
			{"content type", good, set("Content-Type", "text/plain"), 0, "InvalidRequest", 200},
			{"timestamp", good, set("X-TC-Timestamp", "now"), 0, "InvalidParameterValue", 200},
			{"method", good, func(r *http.Request) { r.Method = "GET" }, 0, "UnsupportedProtocol", 200},
			{"no signature", good, drop("Authorization"), 0, "AuthFailure.InvalidAuthorization", 200},
			{"unknown key", stranger, nil, 0, "AuthFailure.SecretIdNotFound", 200},
			{"wrong secret", wrong, nil, 0, "AuthFailure.SignatureFailure", 200},
			{"changed header", good, set("Content-Type", "application/json; charset=utf-8"), 0, "AuthFailure.SignatureFailure", 200},
			{"late", good, nil, 5*minute + time.Second, "AuthFailure.SignatureExpire", 200},
			{"early", good, nil, -5*minute - time.Second, "AuthFailure.SignatureExpire", 200},
			{"wrong token", bad, nil, 0, "AuthFailure.TokenFailure", 200},
			{"missing token", none, nil, 0, "AuthFailure.TokenFailure", 200},
		},
		TencentCRS: {
			{"good", good, nil, 0, "ok", 200},
			{"almost too late", good, nil, 5 * minute, "ok", 200},
			{"good temporary key", temporary, nil, 0, "ok", 200},
			{"unknown key", stranger, nil, 0, "4104", 200},
			{"wrong secret", wrong, nil, 0, "4100", 200},
			{"other host", good, func(r *http.Request) { r.Host = "other" }, 0, "4100", 200},
			{"late", good, nil, 5*minute + time.Second, "4500", 200},
			{"early", good, nil, -5*minute - time.Second, "4500", 200},
			{"wrong token", bad, nil, 0, "4105", 200},
			{"missing token", none, nil, 0, "4105", 200},
			{"method", good, func(r *http.Request) { r.Method = "PUT" }, 0, "4600", 200},
			{"as GET without query", good, func(r *http.Request) { r.Method = "GET" }, 0, "4000", 200},
		},
	}
	for _, v := range everyVendor {
		for _, tt := range cases[v.vendor] {
			t.Run(string(v.vendor)+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				c := newClient(t, Options{Keys: []Key{temporary, {ID: "bound", Secret: "s", Project: "elsewhere"}}})
				c.key = tt.key
				r := v.look(c, "redis-auth-1")
				if tt.spoil != nil {
					tt.spoil(r)
				}
				c.clock.advance(tt.late)
				c.send(r).wantCode(tt.code).wantStatus(tt.http)
			})
		}
	}
}

func TestKeysOfOneVendor(t *testing.T) {
	t.Parallel()
	forEachVendor(t, Options{Keys: []Key{{ID: "only-huawei", Secret: "s", Vendors: []Vendor{Huawei}}}}, func(t *testing.T, c *client, v vendorCalls) {
		c.key = Key{ID: "only-huawei", Secret: "s"}
		if accepted := c.send(v.look(c, "redis-1")).code() == "ok"; accepted != (v.vendor == Huawei) {
			t.Errorf("accepted: %t", accepted)
		}
	})
}

func TestRefusedSignatureHasNoEffect(t *testing.T) {
	t.Parallel()
	forEachVendor(t, Options{}, func(t *testing.T, c *client, v vendorCalls) {
		c.key.Secret = "other"
		c.send(v.flush(c, "redis-1"))
		if n := c.s.Effects().Total("", ""); n != 0 {
			t.Errorf("%d effects", n)
		}
		if calls := c.s.Calls(Filter{}); len(calls) != 1 || calls[0].Effect || calls[0].Key != DefaultAccessKey {
			t.Errorf("recorded %+v", calls)
		}
	})
}

func TestCRSReplay(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Quirks: Quirks{CRSReplayWindow: 10 * time.Minute}})
	body := c.crsParams("POST", "ClearRedis", "redisId", "crs-replay01", "password", "Pass1word").Encode()
	c.send(c.request("POST", crsPath, []byte(body))).wantCode("ok")
	c.clock.advance(9 * time.Minute)
	c.send(c.request("POST", crsPath, []byte(body))).wantCode("4500")
	c.clock.advance(2 * time.Minute)
	c.send(c.request("POST", crsPath, []byte(body))).wantCode("4500") // now for its age
	if n := c.s.Effects().Total("crs-replay01", Flush); n != 1 {
		t.Errorf("%d flushes, want 1", n)
	}
}

func TestReplayGuardForgets(t *testing.T) {
	t.Parallel()
	g, now := replayGuard{seen: map[string]struct{}{}}, time.Unix(0, 0)
	for i := range 1000 {
		if !g.first(strconv.Itoa(i), now.Add(time.Duration(i)*time.Second), time.Minute) {
			t.Fatalf("nonce %d refused", i)
		}
	}
	if n := len(g.seen); n > 121 || len(g.queue) != n {
		t.Errorf("remembers %d nonces and %d times", n, len(g.queue))
	}
}

func TestCRSForm(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	get := c.crsParams("GET", "DescribeRedis", "redisId", "crs-1234", "limit", "1", "offset", "0")
	c.send(c.request("GET", crsPath+"?"+get.Encode(), nil)).wantCode("ok").want("data.redisSet.0.redisId", "crs-1234")
	// A POST ignores its query, and a signature for the other verb is wrong.
	post := c.crsParams("POST", "DescribeRedis", "limit", "1", "offset", "0")
	c.send(c.request("POST", crsPath+"?"+post.Encode(), nil)).wantCode("4000")
	c.send(c.request("GET", crsPath+"?"+post.Encode(), nil)).wantCode("4100")
	for _, missing := range []string{"Action", "Region", "Timestamp", "Nonce", "SecretId", "Signature"} {
		p := c.crsParams("POST", "DescribeRedis", "limit", "1", "offset", "0")
		p.Del(missing)
		c.send(c.request("POST", crsPath, []byte(p.Encode()))).wantCode("4000")
	}
	c.send(c.crsRequest("DescribeRedis", "limit", "1", "offset", "0", "Nonce", "-3")).wantCode("4000")
	c.send(c.crsRequest("DescribeRedis", "limit", "1", "offset", "0", "Nonce", "0")).wantCode("4000")
	if err := c.s.SetQuirks(Quirks{CRSHTTPS: true}); err != nil {
		t.Fatal(err)
	}
	c.crs("DescribeRedis", "limit", "1", "offset", "0").wantCode("4600")
}

func TestUnknownShape(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, path := range []string{"/", "/v3/auth/tokens", "/nowhere"} {
		c.send(c.request("GET", path, nil)).wantStatus(http.StatusNotFound)
	}
	if n := len(c.s.Calls(Filter{})); n != 0 {
		t.Errorf("%d calls recorded", n)
	}
}

// TestTencentScope signs properly, but for something else.
func TestTencentScope(t *testing.T) {
	t.Parallel()
	tests := []struct{ scope, contentType, code string }{
		{"emulator-key/2026-01-02/redis/tc3_request", "application/json", "ok"},
		{"emulator-key/2026-01-01/redis/tc3_request", "application/json", "AuthFailure.SignatureFailure"},
		{"emulator-key/2026-01-02/cvm/tc3_request", "application/json", "AuthFailure.SignatureFailure"},
		{"emulator-key/2026-01-02/redis/aws4_request", "application/json", "AuthFailure.SignatureFailure"},
		{"emulator-key/2026-01-02/redis", "application/json", "AuthFailure.InvalidAuthorization"},
		// The documents sign values in lower case, the SDK signs them as sent.
		{"emulator-key/2026-01-02/redis/tc3_request", "application/json; charset=UTF-8", "ok"},
	}
	for _, tt := range tests {
		c := newClient(t, Options{})
		r := c.tcRequest("DescribeInstances", "{}")
		r.Header.Set("Content-Type", tt.contentType)
		signed, scope := []string{"content-type", "host"}, strings.Split(tt.scope, "/")
		headers := strings.ToLower(canonicalHeaders(r, r.Host, signed))
		sig := tcSignature(tcSigningKey(DefaultSecretKey, scope), r, []byte("{}"), headers, signed, scope, r.Header.Get("X-TC-Timestamp"))
		r.Header.Set("Authorization", tc3Algorithm+" Credential="+tt.scope+", SignedHeaders=content-type;host, Signature="+sig)
		c.send(r).wantCode(tt.code)
	}
}
