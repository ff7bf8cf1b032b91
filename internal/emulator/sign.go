package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

func hmacSHA256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sameText compares signatures and tokens in constant time, as a cloud would.
func sameText(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// escape is RFC 3986 escaping: everything but letters, digits and -._~.
func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%7E", "~")
}

// canonicalQuery sorts parameters by name, then value, and escapes them.
func canonicalQuery(q url.Values) string {
	var pairs []string
	for name, values := range q {
		for _, v := range values {
			pairs = append(pairs, escape(name)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// canonicalHeaders lists the signed headers of a request, a line each, in the
// order of their lower-case names.
func canonicalHeaders(r *http.Request, host string, names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name + ":" + strings.TrimSpace(headerValue(r, host, name)) + "\n")
	}
	return b.String()
}

// headerValue reads a header; Go keeps two of them elsewhere.
func headerValue(r *http.Request, host, name string) string {
	switch name {
	case "host":
		return host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	return strings.Join(r.Header.Values(name), ",")
}

// authorization is a parsed Authorization header of the AWS kind.
type authorization struct {
	credential, signature string
	// signed holds the lower-case names in order.
	signed []string
}

// parseAuthorization reads "<algorithm> <key>=…, SignedHeaders=…, Signature=…",
// with or without spaces after the commas.
func parseAuthorization(header, algorithm, credential string) (authorization, bool) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return authorization{}, false
	}
	var a authorization
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case credential:
			a.credential = value
		case "SignedHeaders":
			a.signed = strings.Split(strings.ToLower(value), ";")
			slices.Sort(a.signed)
		case "Signature":
			a.signature = value
		}
	}
	return a, a.credential != ""
}

func (a authorization) signs(names ...string) bool {
	for _, n := range names {
		if !slices.Contains(a.signed, n) {
			return false
		}
	}
	return true
}

// keyCache remembers derived signing keys, which are good for a day.
type keyCache struct {
	mu   sync.Mutex
	keys map[string][]byte
}

const keyCacheLimit = 1024

// get derives a key once. The parts name it and must include the secret.
func (c *keyCache) get(derive func() []byte, parts ...string) []byte {
	name := strings.Join(parts, "\x00")
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.keys[name]; ok {
		return k
	}
	if len(c.keys) >= keyCacheLimit || c.keys == nil {
		c.keys = map[string][]byte{}
	}
	k := derive()
	c.keys[name] = k
	return k
}
