package emulator

import (
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const tcSkew = 5 * time.Minute

// tcRegion is the look of a region; the short names of CRS are not among them.
var tcRegion = regexp.MustCompile(`^[a-z]{2}-[a-z]+(-[a-z0-9]+)*$`)

// admit checks form and signature. The order of the checks is not documented.
func (t *tencent) admit(x *exchange) *refusal {
	h := x.r.Header
	for _, name := range []string{"X-TC-Action", "X-TC-Version", "X-TC-Timestamp", "X-TC-Region"} {
		if h.Get(name) == "" {
			return tcRefuse("MissingParameter", "The request is missing a required parameter `"+strings.TrimPrefix(name, "X-TC-")+"`.")
		}
	}
	switch {
	case x.r.Method != http.MethodPost:
		return tcRefuse("UnsupportedProtocol", "The emulator takes POST only.")
	case h.Get("X-TC-Version") != tcVersion:
		return tcRefuse("NoSuchVersion", "The version "+h.Get("X-TC-Version")+" does not exist.")
	case !tcRegion.MatchString(x.region):
		return tcRefuse("UnsupportedRegion", "The region "+x.region+" is not supported.")
	case !strings.HasPrefix(h.Get("Content-Type"), "application/json"):
		return tcRefuse("InvalidRequest", "TC3 with POST needs the content type application/json.")
	}
	return t.verify(x)
}

func (t *tencent) verify(x *exchange) *refusal {
	a, ok := parseAuthorization(x.r.Header.Get("Authorization"), tc3Algorithm, "Credential")
	scope := strings.Split(a.credential, "/")
	if !ok || len(scope) != 4 || a.signature == "" || !a.signs("content-type", "host") {
		return tcRefuse("AuthFailure.InvalidAuthorization", "The Authorization header is malformed, or does not sign content-type and host.")
	}
	stamp := x.r.Header.Get("X-TC-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return tcRefuse("InvalidParameterValue", "X-TC-Timestamp is not a number of seconds.")
	}
	at := time.Unix(seconds, 0).UTC()
	if off := x.at.Sub(at); off > x.set.quirks.signatureLife(tcSkew) || off < -tcSkew {
		return tcRefuse("AuthFailure.SignatureExpire", "The provided credentials timestamp is more than 5 minutes off the server's time.")
	}
	if x.cred, ok = x.s.keys.find(x.vendor, scope[0]); !ok {
		return tcRefuse("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
	}
	wrongScope := scope[1] != at.Format(time.DateOnly) || scope[2] != "redis" || scope[3] != "tc3_request"
	if wrongScope || !t.matches(x, a, scope, stamp) {
		return tcRefuse("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
	}
	// A TC3 signature does not cover the token.
	if x.r.Header.Get("X-TC-Token") != x.cred.SessionToken {
		return tcRefuse("AuthFailure.TokenFailure", "The token is missing, wrong or expired.")
	}
	return nil
}

// matches accepts header values as sent and in lower case: documents and SDK
// differ there.
func (t *tencent) matches(x *exchange, a authorization, scope []string, stamp string) bool {
	key := t.derived.get(func() []byte { return tcSigningKey(x.cred.Secret, scope) }, x.cred.Secret, scope[1])
	headers := canonicalHeaders(x.r, x.r.Host, a.signed)
	return sameText(a.signature, tcSignature(key, x.r, x.body, headers, a.signed, scope, stamp)) ||
		sameText(a.signature, tcSignature(key, x.r, x.body, strings.ToLower(headers), a.signed, scope, stamp))
}

func tcSigningKey(secret string, scope []string) []byte {
	key := []byte("TC3" + secret)
	for _, part := range scope[1:] {
		key = hmacSHA256(key, part)
	}
	return key
}

func tcSignature(key []byte, r *http.Request, body []byte, headers string, signed, scope []string, stamp string) string {
	canonical := tcCanonical(r, body, headers, signed)
	toSign := strings.Join([]string{tc3Algorithm, stamp, strings.Join(scope[1:], "/"), hexSHA256([]byte(canonical))}, "\n")
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

func tcCanonical(r *http.Request, body []byte, headers string, signed []string) string {
	hash := hexSHA256(body)
	if mark := r.Header.Get("X-TC-Content-SHA256"); mark == "UNSIGNED-PAYLOAD" {
		hash = hexSHA256([]byte(mark))
	}
	return strings.Join([]string{r.Method, "/", r.URL.RawQuery, headers, strings.Join(signed, ";"), hash}, "\n")
}
