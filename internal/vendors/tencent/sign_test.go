package tencent

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	publishedBody = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	bodyA         = `{"InstanceId":"crs-5a4py64p","BackupId":"678362566696298532848117","Password":"mypassword"}`
	bodyB         = `{"BackupId":"678362566696298532848117","InstanceId":"crs-5a4py64p","Password":"mypassword"}`
	bodyC         = `{"TaskId":6954227}`
)

// published is the example of the vendor's signature page.
func published(headers ...string) Message {
	m := Message{
		Service: "cvm",
		Method:  http.MethodPost,
		Headers: map[string]string{"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"},
		Body:    []byte(publishedBody),
		At:      time.Unix(1551113065, 0),
	}
	for _, name := range headers {
		m.Headers[name] = "describeinstances"
	}
	return m
}

// redis is a message of the product, as the vendor's SDK signed it.
func redis(body string) Message {
	return Message{
		Service: "redis",
		Method:  http.MethodPost,
		Headers: map[string]string{"content-type": "application/json", "host": "redis.tencentcloudapi.com"},
		Body:    []byte(body),
		At:      time.Unix(1700000000, 0),
	}
}

// The published vectors carry keys as the documentation prints them: it computed
// its numbers over the asterisks of its own masking.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                               string
		message                            Message
		key                                string
		bodyHash, canonicalHash, signature string
	}{
		{"published, two headers", published(), testKey,
			"35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064", "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031",
			"72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"},
		{"published, two headers, masked key", published(), "Gu5t9xGARNpq86cd98joQYCN3*******",
			"35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064", "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031",
			"2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"},
		{"published, three headers, masked key", published("x-tc-action"), strings.Repeat("*", 32),
			"35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064", "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84",
			"10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"},
		{"three headers", published("x-tc-action"), testKey,
			"35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064", "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84",
			"644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26"},
		{"A", redis(bodyA), testKey,
			"89e06a2c2f1874808e366673c8fb033227226578f571160908ceafb41d418029", "a8f25d061caa98d567bc7e7f4bb7ae27bdcaac0fdfa2155744d235a1a5b1ec3e",
			"a2101349d46d75002e9ea438919722d5389099c059a9301a40403f9a612d2bb6"},
		{"B", redis(bodyB), testKey, "67a04f0ab10173cf8f0481a4d220fda437e2776abb502f07c171feeeded416e9", "",
			"41e72f508a7d58dd65f82f4758ed6e2961564bde76929e16f52ad5ddfd24dab8"},
		{"C", redis(bodyC), testKey, "ee76816ab9522a4c91dee846e0c48556e4feb425645a347802d0001da4d432bf", "",
			"4579c3c36828dd10dba0a52a69d5b0969471fa504f8f4cbb4e45ebe501402c8e"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := hexHash(c.message.Body); got != c.bodyHash {
				t.Errorf("body hash %s, want %s", got, c.bodyHash)
			}
			if got := hexHash([]byte(c.message.canonical())); c.canonicalHash != "" && got != c.canonicalHash {
				t.Errorf("canonical hash %s, want %s", got, c.canonicalHash)
			}
			if got := c.message.signature(secret.New(c.key)); got != c.signature {
				t.Errorf("signature %s, want %s", got, c.signature)
			}
		})
	}
}

func TestSigningKeyVectors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		want  string
		parts []string
	}{
		{"d1308c81fe71cfd4e06437bbc067b2b8a3d2d8c0e375d547f15c41d5214b395a", []string{"2019-02-25"}},
		{"3c7cb7c7795393edc14fd2e0e6434a518564b4504b88e94f5d11bf59ba3e7050", []string{"2019-02-25", "cvm"}},
		{"ac658d5dde49e9bfdd14e04e062f66b05d9f637d44b8a8d845327d4a77f666b1", []string{"2019-02-25", "cvm", "tc3_request"}},
		{"887d0077ac19ed5cba18590a4fe79f7e1d851a9b05bd4e02a3af730156456978", []string{"2023-11-14"}},
		{"78647cc1c11a0d42a20f593905be42be52990a1164a34306bf4faf90dd23cd70", []string{"2023-11-14", "redis"}},
		{"59d6bc52bd65246fa42e4a5d986f93b4769d0a6688a620d9001f9d84d7673a22", []string{"2023-11-14", "redis", "tc3_request"}},
	}
	for _, c := range cases {
		if got := hex.EncodeToString(signingKey(secret.New(testKey), c.parts...)); got != c.want {
			t.Errorf("%v: %s, want %s", c.parts, got, c.want)
		}
	}
}

func TestCanonicalRequest(t *testing.T) {
	t.Parallel()
	want := strings.Join([]string{
		"POST", "/", "",
		"content-type:application/json", "host:redis.tencentcloudapi.com", "",
		"content-type;host", "89e06a2c2f1874808e366673c8fb033227226578f571160908ceafb41d418029",
	}, "\n")
	if got := redis(bodyA).canonical(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The date of the scope is that of UTC, wherever the time was read.
func TestScopeIsInUTC(t *testing.T) {
	t.Parallel()
	m := redis(bodyA)
	m.At = m.At.In(time.FixedZone("", 14*60*60))
	if got, want := m.Authorization(testID, secret.New(testKey)), redis(bodyA).Authorization(testID, secret.New(testKey)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSignSetsTheHeaders(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", testToken} {
		req, err := http.NewRequest(http.MethodPost, "https://redis.tencentcloudapi.com/prefix/", strings.NewReader(bodyC))
		if err != nil {
			t.Fatal(err)
		}
		creds := vendors.Credentials{AccessKey: testID, SecretKey: secret.New(testKey), SessionToken: secret.New(token)}
		Sign(req, []byte(bodyC), creds, time.Unix(1700000000, 0))
		want := map[string]string{
			"Content-Type":   "application/json",
			"X-TC-Timestamp": "1700000000",
			"X-TC-Token":     token,
			"Authorization": "TC3-HMAC-SHA256 Credential=" + testID + "/2023-11-14/redis/tc3_request, SignedHeaders=content-type;host, " +
				"Signature=4579c3c36828dd10dba0a52a69d5b0969471fa504f8f4cbb4e45ebe501402c8e",
		}
		for name, value := range want {
			if got := req.Header.Get(name); got != value {
				t.Errorf("token %q: %s is %q, want %q", token, name, got, value)
			}
		}
	}
}
