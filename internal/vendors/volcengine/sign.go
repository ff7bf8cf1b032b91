package volcengine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	algorithm = "HMAC-SHA256"
	service   = "redis"
	dateStyle = "20060102T150405Z"
)

// Sign signs a request as the vendor's own SDK does: over Content-Type,
// Content-Md5, Host and every X- header present. It sets X-Date,
// X-Content-Sha256, for temporary keys X-Security-Token, and Authorization, and
// spells host, path and query as they are signed.
//
// Source: Volcengine docs 4/65595 and 6369/68677.
func Sign(req *http.Request, body []byte, creds vendors.Credentials, region string, at time.Time) {
	new(signingKey).sign(req, body, creds, region, at)
}

// sign is Sign with the key of the day kept for the next request.
func (k *signingKey) sign(req *http.Request, body []byte, creds vendors.Credentials, region string, at time.Time) {
	req.Header.Set("X-Date", at.UTC().Format(dateStyle))
	req.Header.Set("X-Content-Sha256", hexHash(body))
	if !creds.SessionToken.Empty() {
		req.Header.Set("X-Security-Token", creds.SessionToken.Reveal())
	}
	names := []string{"host"}
	for name := range req.Header {
		name = strings.ToLower(name)
		if name == "content-type" || name == "content-md5" || strings.HasPrefix(name, "x-") {
			names = append(names, name)
		}
	}
	k.authorize(req, body, creds, region, service, names)
}

// authorize adds the Authorization header for exactly the named headers, which
// must be on the request, X-Date among them.
func (k *signingKey) authorize(req *http.Request, body []byte, creds vendors.Credentials, region, service string, names []string) {
	names = slices.Sorted(slices.Values(names))
	date := req.Header.Get("X-Date")
	scope := strings.Join([]string{date[:8], region, service, "request"}, "/")
	toSign := strings.Join([]string{algorithm, date, scope, hexHash([]byte(canonical(req, body, names)))}, "\n")
	signature := mac(k.of(creds.SecretKey, scope), toSign)
	req.Header.Set("Authorization", algorithm+" Credential="+creds.AccessKey+"/"+scope+
		", SignedHeaders="+strings.Join(names, ";")+", Signature="+hex.EncodeToString(signature))
}

// signingKey is the key that is derived from a secret for a day, a region and a
// service. All requests of an adapter use the same until the day or the secret changes.
type signingKey struct{ latest atomic.Pointer[derivedKey] }

type derivedKey struct {
	secret secret.Text
	scope  string
	key    []byte
}

func (k *signingKey) of(from secret.Text, scope string) []byte {
	if d := k.latest.Load(); d != nil && d.scope == scope && d.secret == from {
		return d.key
	}
	key := []byte(from.Reveal())
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	k.latest.Store(&derivedKey{from, scope, key})
	return key
}

// canonical gives the text that is signed, and spells the request like it.
func canonical(req *http.Request, body []byte, names []string) string {
	req.Host = hostHeader(req)
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	segments := strings.Split(req.URL.Path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	req.URL.RawPath = strings.Join(segments, "/")
	// Encode sorts by name; it escapes as RFC 3986 does, but for the space.
	req.URL.RawQuery = strings.ReplaceAll(req.URL.Query().Encode(), "+", "%20")

	var b strings.Builder
	b.WriteString(req.Method + "\n" + req.URL.RawPath + "\n" + req.URL.RawQuery + "\n")
	for _, name := range names {
		value := req.Host
		if name != "host" {
			value = strings.TrimSpace(strings.Join(req.Header.Values(name), ","))
		}
		b.WriteString(name + ":" + value + "\n")
	}
	hash := req.Header.Get("X-Content-Sha256")
	if hash == "" {
		hash = hexHash(body)
	}
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + hash)
	return b.String()
}

// hostHeader is the host as it is signed and sent: the ports 80 and 443 are left
// out, any other is kept.
func hostHeader(req *http.Request) string {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	u := url.URL{Host: host}
	if port := u.Port(); port == "80" || port == "443" {
		return strings.TrimSuffix(host, ":"+port)
	}
	return host
}

// escape percent-encodes all but the unreserved characters of RFC 3986.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
