package tencent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

const (
	algorithm   = "TC3-HMAC-SHA256"
	service     = "redis"
	contentType = "application/json"
)

// Message is what a TC3-HMAC-SHA256 signature covers. The path is always "/",
// also where the endpoint has one: the gateway signs so.
//
// Source: Tencent Cloud API 3.0, "Signature v3".
type Message struct {
	// Service is the product as in the scope, such as "redis".
	Service string
	Method  string
	// Query is the encoded query exactly as sent, empty for POST.
	Query string
	// Headers are the signed headers by lower-case name, host and content-type
	// among them.
	Headers map[string]string
	Body    []byte
	At      time.Time
}

// Authorization signs the message and gives the header of that name.
func (m Message) Authorization(secretID string, key secret.Text) string {
	return algorithm + " Credential=" + secretID + "/" + m.scope() + ", SignedHeaders=" + m.names() + ", Signature=" + m.signature(key)
}

// canonical is the request in the form that is hashed and signed.
func (m Message) canonical() string {
	var b strings.Builder
	b.WriteString(m.Method + "\n/\n" + m.Query + "\n")
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		b.WriteString(name + ":" + strings.TrimSpace(m.Headers[name]) + "\n")
	}
	b.WriteString("\n" + m.names() + "\n" + hexHash(m.Body))
	return b.String()
}

func (m Message) names() string {
	return strings.Join(slices.Sorted(maps.Keys(m.Headers)), ";")
}

func (m Message) date() string { return m.At.UTC().Format(time.DateOnly) }

func (m Message) scope() string { return m.date() + "/" + m.Service + "/tc3_request" }

func (m Message) timestamp() string { return strconv.FormatInt(m.At.Unix(), 10) }

func (m Message) signature(key secret.Text) string {
	toSign := strings.Join([]string{algorithm, m.timestamp(), m.scope(), hexHash([]byte(m.canonical()))}, "\n")
	return hex.EncodeToString(mac(signingKey(key, m.date(), m.Service, "tc3_request"), toSign))
}

// signingKey derives the key of a day, or one of its steps.
func signingKey(key secret.Text, parts ...string) []byte {
	derived := []byte("TC3" + key.Reveal())
	for _, part := range parts {
		derived = mac(derived, part)
	}
	return derived
}

// Sign signs a POST and sets the headers that carry the signature. The session
// token of a temporary key is sent, but TC3 does not cover it.
func Sign(req *http.Request, body []byte, creds vendors.Credentials, at time.Time) {
	req.Header.Set("Content-Type", contentType)
	m := Message{
		Service: service,
		Method:  req.Method,
		Query:   req.URL.RawQuery,
		Headers: map[string]string{"content-type": contentType, "host": req.Host},
		Body:    body,
		At:      at,
	}
	req.Header.Set("X-TC-Timestamp", m.timestamp())
	if !creds.SessionToken.Empty() {
		req.Header.Set("X-TC-Token", creds.SessionToken.Reveal())
	}
	req.Header.Set("Authorization", m.Authorization(creds.AccessKey, creds.SecretKey))
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
