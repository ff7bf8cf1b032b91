package huawei

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	algorithm = "SDK-HMAC-SHA256"
	dateStyle = "20060102T150405Z"
)

// Sign signs a request with the key's secret itself: the algorithm derives no
// key, so that only the signed host binds a signature to the endpoint. It sets
// X-Sdk-Date, X-Project-Id, for temporary keys X-Security-Token, and
// Authorization, and spells path and query as they are signed.
//
// Source: Huawei Cloud API Signing Guide (devg-apisign).
func Sign(req *http.Request, body []byte, creds vendors.Credentials, project string, at time.Time) {
	req.Header.Set("X-Sdk-Date", at.UTC().Format(dateStyle))
	names := []string{"host", "x-sdk-date"}
	if project != "" {
		req.Header.Set("X-Project-Id", project)
		names = append(names, "x-project-id")
	}
	if !creds.SessionToken.Empty() {
		req.Header.Set("X-Security-Token", creds.SessionToken.Reveal())
		names = append(names, "x-security-token")
	}
	authorize(req, body, creds, names)
}

// authorize adds the Authorization header for exactly the named headers, which
// must be on the request, X-Sdk-Date among them.
func authorize(req *http.Request, body []byte, creds vendors.Credentials, names []string) {
	names = slices.Sorted(slices.Values(names))
	toSign := strings.Join([]string{algorithm, req.Header.Get("X-Sdk-Date"), hexHash([]byte(canonical(req, body, names)))}, "\n")
	h := hmac.New(sha256.New, []byte(creds.SecretKey.Reveal()))
	h.Write([]byte(toSign))
	req.Header.Set("Authorization", algorithm+" Access="+creds.AccessKey+
		", SignedHeaders="+strings.Join(names, ";")+", Signature="+hex.EncodeToString(h.Sum(nil)))
}

// canonical gives the text that is signed, and spells the request like it. The
// path that is signed ends with a slash, even if the one that is sent does not.
func canonical(req *http.Request, body []byte, names []string) string {
	segments := strings.Split(req.URL.Path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	req.URL.RawPath = strings.Join(segments, "/")
	query := req.URL.Query()
	for _, values := range query {
		slices.Sort(values)
	}
	// Encode sorts by name; it escapes as RFC 3986 does, but for the space.
	req.URL.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")

	var b strings.Builder
	b.WriteString(req.Method + "\n" + strings.TrimSuffix(req.URL.RawPath, "/") + "/\n" + req.URL.RawQuery + "\n")
	for _, name := range names {
		b.WriteString(name + ":" + headerValue(req, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + bodyHash(req, body))
	return b.String()
}

// headerValue is a header as it is signed. The host keeps whatever port it is
// sent with.
func headerValue(req *http.Request, name string) string {
	switch {
	case name != "host":
		return strings.TrimSpace(strings.Join(req.Header.Values(name), ","))
	case req.Host != "":
		return req.Host
	}
	return req.URL.Host
}

// bodyHash is the hash of the body, or what the request claims in its place.
func bodyHash(req *http.Request, body []byte) string {
	if claimed := req.Header.Get("X-Sdk-Content-Sha256"); claimed != "" {
		return claimed
	}
	return hexHash(body)
}

// escape percent-encodes all but the unreserved characters of RFC 3986.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
