package volcengine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
	spell(req)
	new(signingKey).sign(req, body, creds, region, at)
}

// sign is Sign for a request that is spelled as it is signed, with the key of the day
// kept for the next one. It returns the signature.
func (k *signingKey) sign(req *http.Request, body []byte, creds vendors.Credentials, region string, at time.Time) string {
	req.Header["X-Date"] = []string{at.UTC().Format(dateStyle)}
	req.Header["X-Content-Sha256"] = []string{hexHash(body)}
	if !creds.SessionToken.Empty() {
		req.Header["X-Security-Token"] = []string{creds.SessionToken.Reveal()}
	}
	names := make([]string, 1, 6)
	names[0] = "host"
	for name := range req.Header {
		name = lower(name)
		if name == "content-type" || name == "content-md5" || strings.HasPrefix(name, "x-") {
			names = append(names, name)
		}
	}
	return k.authorize(req, body, creds, region, service, names)
}

// lower is a header's name as it is signed.
func lower(name string) string {
	switch name { // those that every request has
	case "Content-Type":
		return "content-type"
	case "X-Date":
		return "x-date"
	case "X-Content-Sha256":
		return "x-content-sha256"
	}
	return strings.ToLower(name)
}

// authorize adds the Authorization header for exactly the named headers, which
// must be on the request, X-Date among them, and returns the signature.
func (k *signingKey) authorize(req *http.Request, body []byte, creds vendors.Credentials, region, service string, names []string) string {
	slices.Sort(names)
	signed := strings.Join(names, ";")
	date := req.Header.Get("X-Date")
	scope := date[:8] + "/" + region + "/" + service + "/request"
	text := appendCanonical(make([]byte, 0, 512), req, body, names, signed)
	sum := sha256.Sum256(text)
	text = append(append(append(append(append(text[:0], algorithm+"\n"...), date...), '\n'), scope...), '\n')
	text = hex.AppendEncode(text, sum[:])
	signature := hex.EncodeToString(k.of(creds.SecretKey, scope).mac(text))
	req.Header["Authorization"] = []string{algorithm + " Credential=" + creds.AccessKey + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + signature}
	return signature
}

// signingKey is the key that is derived from a secret for a day, a region and a
// service. All requests of an adapter use the same until the day or the secret changes.
type signingKey struct{ latest atomic.Pointer[derivedKey] }

type derivedKey struct {
	secret secret.Text
	scope  string
	hashes sync.Pool // that have taken the key in
}

func (k *signingKey) of(from secret.Text, scope string) *derivedKey {
	if d := k.latest.Load(); d != nil && d.scope == scope && d.secret == from {
		return d
	}
	key := []byte(from.Reveal())
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, []byte(part))
	}
	d := &derivedKey{secret: from, scope: scope, hashes: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
	k.latest.Store(d)
	return d
}

// mac is the function mac with the derived key.
func (d *derivedKey) mac(text []byte) []byte {
	h := d.hashes.Get().(hash.Hash)
	defer d.hashes.Put(h)
	h.Reset()
	h.Write(text)
	return h.Sum(nil)
}

// spell gives a request the spelling in which it is signed.
func spell(req *http.Request) {
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
}

// appendCanonical appends the text that is signed.
func appendCanonical(b []byte, req *http.Request, body []byte, names []string, signed string) []byte {
	for _, part := range [...]string{req.Method, req.URL.RawPath, req.URL.RawQuery} {
		b = append(append(b, part...), '\n')
	}
	for _, name := range names {
		value := req.Host
		if name != "host" {
			value = strings.TrimSpace(strings.Join(req.Header.Values(name), ","))
		}
		b = append(append(append(append(b, name...), ':'), value...), '\n')
	}
	hash := req.Header.Get("X-Content-Sha256")
	if hash == "" {
		hash = hexHash(body)
	}
	return append(append(append(append(b, '\n'), signed...), '\n'), hash...)
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

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
