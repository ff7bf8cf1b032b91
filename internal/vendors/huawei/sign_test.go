package huawei

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	vectorProject = "0123456789abcdef0123456789abcdef"
	vectorURL     = "https://dcs.cn-north-4.myhuaweicloud.com/v2/" + vectorProject
	vectorBody    = `{"instances":["2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef"],"action":"restart"}`
)

var vectorTime = time.Date(2026, 1, 2, 11, 4, 5, 999, time.FixedZone("", 8*3600))

// The vectors were computed with the vendor's Go SDK (v0.1.207).
func TestSignVectors(t *testing.T) {
	t.Parallel()
	usual := "host;x-project-id;x-sdk-date"
	cases := []struct {
		name, method, path, body, token, signed string
		canonicalHash, signature                string
	}{
		{"A as the SDK signs", "PUT", "/instances/status", vectorBody + "\n", "", "user-agent;x-project-id;x-sdk-date",
			"a3f75c94d3a8d60fbf3e15f90fdb0c8920437e03f79873bf6b8706ec4c50278d", "f36facba334931d48c33b69f29ca9b197e458f7352d606b21c6df78e6d6449a7"},
		{"B", "PUT", "/instances/status", vectorBody, "", usual,
			"e27c01386d4e9dd7801fe4cca959decad12c4851c435c4161c160ef97aac10ef", "66c6f83e2dd1ed7474076e444e621f0e83e1852fec4129258eac0dd5b63ea1de"},
		{"C temporary key", "PUT", "/instances/status", vectorBody, "example-security-token", "host;x-project-id;x-sdk-date;x-security-token",
			"e4f08beff187b8ab1fc5538e8251eb31f24bb218896dc34dfb2490234ac5aa00", "c131ef6a6dff9482451beff278a2235af96cc546293019c106cea0469fd0f1b1"},
		{"D query", "GET", "/instances?status=RUNNING&offset=0&name=a+b%2Fc&limit=1000", "", "", usual,
			"ff602676bb466c0e6f790b86c4810f9f0aca291f2fd0b9a38a7352d642b1f834", "1921dc3e350348566905aa07f18c25ac44ab6635e34e0ab50fe05fbcf53dcc3b"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			creds := vendors.Credentials{
				AccessKey: "HWAKEXAMPLE0000000001", SecretKey: secret.New("hwSKexampleKey+not/Real0123456789ABCDEFabcd"), SessionToken: secret.New(c.token),
			}
			req, err := http.NewRequest(c.method, vectorURL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("User-Agent", "huaweicloud-usdk-go/3.0; probe")
			req.Header.Set("Content-Type", "application/json;charset=UTF-8")
			Sign(req, []byte(c.body), creds, vectorProject, vectorTime)
			names := strings.Split(c.signed, ";")
			if got := hexHash([]byte(canonical(req, []byte(c.body), names))); got != c.canonicalHash {
				t.Errorf("canonical request hashes to %s, want %s:\n%s", got, c.canonicalHash, canonical(req, []byte(c.body), names))
			}
			want := "SDK-HMAC-SHA256 Access=HWAKEXAMPLE0000000001, SignedHeaders=" + c.signed + ", Signature=" + c.signature
			if got := req.Header.Get("Authorization"); names[0] == "host" && got != want {
				t.Errorf("Sign gave\n%s, want\n%s", got, want)
			}
			authorize(req, []byte(c.body), creds, names)
			if got := req.Header.Get("Authorization"); got != want {
				t.Errorf("authorize gave\n%s, want\n%s", got, want)
			}
		})
	}
}

func TestBodyHash(t *testing.T) {
	t.Parallel()
	req, err := http.NewRequest("GET", vectorURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := bodyHash(req, nil); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("no body hashes to %s", got)
	}
	req.Header.Set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")
	if got := bodyHash(req, []byte("body")); got != "UNSIGNED-PAYLOAD" {
		t.Errorf("the claimed hash became %s", got)
	}
}

// What is signed must be what is sent, byte by byte.
func TestSignSpellsTheRequestAsSigned(t *testing.T) {
	t.Parallel()
	req, err := http.NewRequest("GET", "http://127.0.0.1:8443/pre%20fix/a+b?b=2&a=y&a=x+z~*", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	Sign(req, nil, vendors.Credentials{}, "p", vectorTime)
	var sent bytes.Buffer
	if err := req.Write(&sent); err != nil {
		t.Fatal(err)
	}
	want := "GET /pre%20fix/a%2Bb?a=x%20z~%2A&a=y&b=2 HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n"
	if !strings.HasPrefix(sent.String(), want) {
		t.Errorf("sent %q, want it to begin with %q", sent.String(), want)
	}
	if got := canonical(req, nil, []string{"host"}); !strings.HasPrefix(got, "GET\n/pre%20fix/a%2Bb/\na=x%20z~%2A&a=y&b=2\nhost:127.0.0.1:8443\n\nhost\n") {
		t.Errorf("signed %q", got)
	}
}
