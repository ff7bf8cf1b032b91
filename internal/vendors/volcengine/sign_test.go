package volcengine

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	vectorKey    = "AKLTexample0000000001"
	vectorSecret = "vlcSKexampleKey+not/Real=="
	vectorHost   = "redis.cn-beijing.volcengineapi.com"
	restartBody  = `{"ClientToken":"tok-0001","InstanceId":"redis-cn0212gzmh2xsabcd"}`
	listBody     = `{"PageNumber":1,"PageSize":100}`
)

var vectorTime = time.Date(2026, 1, 2, 3, 4, 5, 999, time.FixedZone("", 0))

func vectorRequest(t *testing.T, host, action, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest("POST", "https://"+host+"/?Version=2020-12-07&Action="+action, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	return req
}

// The vectors were computed with the vendor's Go SDK (v1.1.35).
func TestSignVectors(t *testing.T) {
	t.Parallel()
	all := "content-type;host;x-content-sha256;x-date"
	cases := []struct {
		name, host, action, body, token, service, signed string
		canonicalHash, signature                         string
	}{
		{"V1", vectorHost, "RestartDBInstance", restartBody, "", "redis", all,
			"abe503813cddec7bea19defbcf2242f1b9300565bfda48db5d05d33458f0f90f", "fc843afd5dca289ba7adfde3f440adca212c315126ce23a933dbb5c137777796"},
		{"V2 temporary key", vectorHost, "RestartDBInstance", restartBody, "example-session-token", "redis", all + ";x-security-token",
			"b84a08b11829cf3413964a890387bc4ebca747f58fdb0a46418187cc2425e6e7", "945840eb0bb14e6daaa304f9db157434a7a38e9c532d238668e35f762945b57b"},
		{"V3 service Redis", vectorHost, "RestartDBInstance", restartBody, "", "Redis", all,
			"abe503813cddec7bea19defbcf2242f1b9300565bfda48db5d05d33458f0f90f", "38fc237931dddb1ad3f27ea4e071e2ae2042fc5f7797be13c07608556b51aeeb"},
		{"V4 list", "open.volcengineapi.com", "DescribeDBInstances", listBody, "", "redis", all,
			"a9cb22b0e8c7101c84d4c151997a16b151c8767241863714b8c4ed5134034bad", "29daed69cba741c141f9c9d22850535c6d11ffd131831f87a168e31707eb90ac"},
		{"V4b port kept", "127.0.0.1:8443", "DescribeDBInstances", listBody, "", "redis", all,
			"7d28d16e1e871f794fcc126d584243c6d45cda903c1ebdea91c1bbd70534f9f8", "1a59ccd2a2a6672d6f107073567e9451541d226bc2cd3797ed73ef56871454ea"},
		{"V4 port 443 dropped", "open.volcengineapi.com:443", "DescribeDBInstances", listBody, "", "redis", all,
			"a9cb22b0e8c7101c84d4c151997a16b151c8767241863714b8c4ed5134034bad", "29daed69cba741c141f9c9d22850535c6d11ffd131831f87a168e31707eb90ac"},
		{"V5 as in the documentation", vectorHost, "RestartDBInstance", restartBody, "", "redis", "content-type;host;x-date",
			"9c7d6807420e69f42238afe092b57712251e1e1bb8b2bea83dffde48d8963b73", "6cb2c4d7706b99658b2e78f4c2cc560bc34e40174966cdfe86d10d4991af7135"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			creds := vendors.Credentials{AccessKey: vectorKey, SecretKey: secret.New(vectorSecret), SessionToken: secret.New(c.token)}
			req := vectorRequest(t, c.host, c.action, c.body)
			Sign(req, []byte(c.body), creds, "cn-beijing", vectorTime)
			names := strings.Split(c.signed, ";")
			canonical := appendCanonical(nil, req, []byte(c.body), names, c.signed)
			if got := hexHash(canonical); got != c.canonicalHash {
				t.Errorf("canonical request hashes to %s, want %s:\n%s", got, c.canonicalHash, canonical)
			}
			want := "HMAC-SHA256 Credential=" + vectorKey + "/20260102/cn-beijing/" + c.service + "/request, SignedHeaders=" + c.signed + ", Signature=" + c.signature
			if c.service == service && c.signed != "content-type;host;x-date" {
				if got := req.Header.Get("Authorization"); got != want {
					t.Errorf("Sign gave\n%s, want\n%s", got, want)
				}
			}
			new(signingKey).authorize(req, []byte(c.body), creds, "cn-beijing", c.service, names)
			if got := req.Header.Get("Authorization"); got != want {
				t.Errorf("authorize gave\n%s, want\n%s", got, want)
			}
		})
	}
}

func TestSigningKeys(t *testing.T) {
	t.Parallel()
	key := []byte(vectorSecret)
	for _, step := range []struct{ part, want string }{
		{"20260102", "8d54f2a6e5826591239c799e98e084eb6320e64f8c706fbb2e9bf713a004b171"},
		{"cn-beijing", "7008ea5dba2144b1dfb93aec3a8401576efedf92b2463d700621219504bbdf1a"},
		{"redis", "8da671b1c4c0f4a713634a6dac35287bfbaab0b6955abb671a96ee7ce75ef6fc"},
		{"request", "0d3b24fa2238e84d39ef66c00d66e7397a2a20b62490b4fea394e8a8ca6e88d8"},
	} {
		key = mac(key, []byte(step.part))
		if got := hex.EncodeToString(key); got != step.want {
			t.Fatalf("after %s the key is %s, want %s", step.part, got, step.want)
		}
	}
}

// A key that is kept must not outlive its day, its region or its secret.
func TestKeptSigningKey(t *testing.T) {
	t.Parallel()
	var kept signingKey
	day := "20260102/cn-beijing/redis/request"
	for _, c := range []struct{ secret, scope string }{
		{vectorSecret, day}, {vectorSecret, day}, {vectorSecret, "20260103/cn-beijing/redis/request"}, {vectorSecret, "20260103/cn-shanghai/redis/request"},
		{"another", "20260103/cn-shanghai/redis/request"}, {vectorSecret, day},
	} {
		got, want := kept.of(secret.New(c.secret), c.scope), new(signingKey).of(secret.New(c.secret), c.scope)
		text := []byte("signed")
		if first, again := got.mac(text), got.mac(text); !bytes.Equal(first, want.mac(text)) || !bytes.Equal(first, again) {
			t.Errorf("the key kept for %s is not that of its secret", c.scope)
		}
	}
}

// What is signed must be what is sent, byte by byte.
func TestSignSpellsTheRequestAsSigned(t *testing.T) {
	t.Parallel()
	req, err := http.NewRequest("POST", "http://127.0.0.1:80/pre%20fix/a+b/?b=2&a=x+y&a=%7E*", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	Sign(req, nil, vendors.Credentials{}, "r", vectorTime)
	var sent bytes.Buffer
	if err := req.Write(&sent); err != nil {
		t.Fatal(err)
	}
	want := "POST /pre%20fix/a%2Bb/?a=x%20y&a=~%2A&b=2 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	if !strings.HasPrefix(sent.String(), want) {
		t.Errorf("sent %q, want it to begin with %q", sent.String(), want)
	}
	if got := string(appendCanonical(nil, req, nil, []string{"host"}, "host")); !strings.HasPrefix(got, "POST\n/pre%20fix/a%2Bb/\na=x%20y&a=~%2A&b=2\nhost:127.0.0.1\n\nhost\n") {
		t.Errorf("signed %q", got)
	}
}

func BenchmarkSign(b *testing.B) {
	c, err := New(vendors.Account{Endpoint: "https://" + vectorHost, Region: "cn-beijing", Timeout: time.Second, Credentials: func(context.Context) (vendors.Credentials, error) {
		return vendors.Credentials{AccessKey: vectorKey, SecretKey: secret.New(vectorSecret)}, nil
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, v := c.sign(b.Context(), actionInstances, map[string]any{"InstanceId": id, "ClientToken": "tok-0001"}, true); v.Kind != vendors.Done {
			b.Fatal(v)
		}
	}
}
