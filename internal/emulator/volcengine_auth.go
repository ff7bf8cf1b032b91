package emulator

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	compactTime  = "20060102T150405Z"
	volcValidity = 900 * time.Second
)

// admit checks form and signature. The order of the checks is not documented.
func (v *volcengine) admit(x *exchange) *refusal {
	q := x.r.URL.Query()
	switch {
	case x.r.Method != http.MethodPost:
		return &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "Only POST is supported."}
	case q.Get("Action") == "" || q.Get("Version") == "":
		return volcRefuse("MissingParameter", "The query must name Action and Version.")
	case q.Get("Version") != volcVersion:
		return &refusal{http.StatusNotFound, "InvalidActionOrVersion", "Version " + q.Get("Version") + " does not exist."}
	}
	return v.verify(x)
}

func (v *volcengine) verify(x *exchange) *refusal {
	header := x.r.Header.Get("Authorization")
	a, ok := parseAuthorization(header, volcAlgorithm, "Credential")
	scope := strings.Split(a.credential, "/")
	switch {
	case header == "":
		return &refusal{http.StatusUnauthorized, "MissingAuthenticationToken", "The request is not signed."}
	case !ok:
		return volcRefuse("InvalidAuthorization", "The Authorization header is malformed.")
	case a.signature == "":
		return &refusal{http.StatusUnauthorized, "MissingSignature", "The Authorization header holds no signature."}
	case len(scope) != 5 || scope[2] == "" || !strings.EqualFold(scope[3], "redis") || scope[4] != "request":
		return volcRefuse("InvalidCredential", "The credential scope is not date/region/redis/request.")
	case !a.signs("host", "x-date"):
		return volcRefuse("InvalidAuthorization", "host and x-date must be signed.")
	}
	if r := volcClock(x, scope[1]); r != nil {
		return r
	}
	cred, ok := x.s.keys.find(x.vendor, scope[0])
	if !ok {
		return &refusal{http.StatusUnauthorized, "InvalidAccessKey", "The access key does not exist."}
	}
	x.cred = cred
	return v.matches(x, a, scope)
}

// volcClock checks X-Date against the scope and the clock.
func volcClock(x *exchange, day string) *refusal {
	stamp := x.r.Header.Get("X-Date")
	at, err := time.Parse(compactTime, stamp)
	if err != nil {
		return volcRefuse("InvalidTimestamp", "X-Date must look like 20260102T030405Z.")
	}
	if !strings.HasPrefix(stamp, day+"T") {
		return volcRefuse("InvalidCredential", "The date of the credential scope is not that of X-Date.")
	}
	valid := volcValidity
	if n, err := strconv.Atoi(x.r.URL.Query().Get("X-Expires")); err == nil && n > 0 {
		valid = time.Duration(n) * time.Second
	}
	if off := x.at.Sub(at); off > x.set.quirks.signatureLife(valid) || off < -volcValidity {
		return volcRefuse("InvalidTimestamp", "X-Date is too far from the server's time.")
	}
	return nil
}

func (v *volcengine) matches(x *exchange, a authorization, scope []string) *refusal {
	if sent := x.r.Header.Get("X-Content-Sha256"); sent != "" && sent != hexSHA256(x.body) {
		return volcMismatch("X-Content-Sha256 is not the hash of the body.")
	}
	key := v.derived.get(func() []byte { return volcSigningKey(x.cred.Secret, scope) },
		x.cred.Secret, scope[1], scope[2], scope[3])
	ok := slices.ContainsFunc(volcHosts(x.r.Host), func(host string) bool {
		return sameText(a.signature, volcSignature(key, x.r, x.body, host, a.signed, scope))
	})
	if !ok {
		return volcMismatch("The signature does not match the request.")
	}
	if sent := x.r.Header.Get("X-Security-Token"); sent != x.cred.SessionToken {
		return &refusal{http.StatusUnauthorized, "InvalidSecretToken", "The security token is missing, wrong or expired."}
	}
	return nil
}

func volcMismatch(message string) *refusal {
	return &refusal{http.StatusUnauthorized, "SignatureDoesNotMatch", message}
}

// volcHosts are the hosts that a client may have signed: the vendor's SDK drops
// the default ports.
func volcHosts(host string) []string {
	for _, port := range []string{":80", ":443"} {
		if bare, ok := strings.CutSuffix(host, port); ok {
			return []string{host, bare}
		}
	}
	return []string{host}
}

// volcSigningKey derives the key of a scope. Unlike AWS there is no prefix
// before the secret. The service is taken as written: both redis and Redis are
// in use.
func volcSigningKey(secret string, scope []string) []byte {
	key := []byte(secret)
	for _, part := range scope[1:] {
		key = hmacSHA256(key, part)
	}
	return key
}

func volcSignature(key []byte, r *http.Request, body []byte, host string, signed, scope []string) string {
	canonical := volcCanonical(r, body, host, signed)
	toSign := strings.Join([]string{
		volcAlgorithm, r.Header.Get("X-Date"), strings.Join(scope[1:], "/"), hexSHA256([]byte(canonical)),
	}, "\n")
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

func volcCanonical(r *http.Request, body []byte, host string, signed []string) string {
	return strings.Join([]string{
		r.Method, "/", canonicalQuery(r.URL.Query()), canonicalHeaders(r, host, signed),
		strings.Join(signed, ";"), hexSHA256(body),
	}, "\n")
}
