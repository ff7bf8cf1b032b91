package emulator

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

const hwSkew = 15 * time.Minute

// admit checks the signature. IAM tokens are not emulated.
func (h huawei) admit(x *exchange) *refusal {
	header := x.r.Header.Get("Authorization")
	switch {
	case header == "" && x.r.Header.Get("X-Auth-Token") != "":
		return &refusal{http.StatusUnauthorized, "DCS.1001", "Invalid token. The emulator takes signed requests only."}
	case header == "":
		return &refusal{http.StatusUnauthorized, "DCS.1003", "The request carries no token and no signature."}
	}
	if r := h.verify(x, header); r != nil {
		return r
	}
	return hwProject(x)
}

func hwUnsigned(why string) *refusal {
	return &refusal{http.StatusUnauthorized, "APIGW.0301", "Incorrect IAM authentication information: " + why}
}

func (huawei) verify(x *exchange, header string) *refusal {
	a, ok := parseAuthorization(header, hwAlgorithm, "Access")
	if !ok || a.signature == "" || !a.signs("x-sdk-date") {
		return hwUnsigned("the Authorization header is malformed or x-sdk-date is not signed")
	}
	at, err := time.Parse(compactTime, x.r.Header.Get("X-Sdk-Date"))
	if err != nil {
		return hwUnsigned("x-sdk-date is malformed")
	}
	if off := x.at.Sub(at); off > x.set.quirks.signatureLife(hwSkew) || off < -hwSkew {
		return hwUnsigned("the request was signed too long ago or ahead of time")
	}
	if x.cred, ok = x.s.keys.find(x.vendor, a.credential); !ok {
		return hwUnsigned("the access key does not exist")
	}
	if !sameText(a.signature, hwSignature(x.cred.Secret, x.r, x.body, a.signed)) {
		return hwUnsigned("verify aksk signature fail")
	}
	token := x.r.Header.Get("X-Security-Token")
	if token != "" && !a.signs("x-security-token") {
		return hwUnsigned("x-security-token is not signed")
	}
	if token != x.cred.SessionToken {
		return &refusal{http.StatusUnauthorized, "APIGW.0307", "The token must be updated."}
	}
	return nil
}

// hwProject compares the project of the path with header and credentials.
func hwProject(x *exchange) *refusal {
	in := x.input.(hwInput)
	claimed := x.r.Header.Get("X-Project-Id")
	if claimed != "" && claimed != in.project || x.cred.Project != "" && x.cred.Project != in.project {
		return &refusal{http.StatusUnauthorized, "DCS.1004", "The project ID does not match the credentials."}
	}
	return nil
}

func hwSignature(secret string, r *http.Request, body []byte, signed []string) string {
	toSign := strings.Join([]string{
		hwAlgorithm, r.Header.Get("X-Sdk-Date"), hexSHA256([]byte(hwCanonical(r, body, signed))),
	}, "\n")
	return hex.EncodeToString(hmacSHA256([]byte(secret), toSign))
}

// hwCanonical rebuilds the canonical request. Its path always ends in a slash,
// and a hash that the client declares takes the place of the body's.
func hwCanonical(r *http.Request, body []byte, signed []string) string {
	segments := strings.Split(strings.TrimSuffix(r.URL.Path, "/"), "/")
	for i := range segments {
		segments[i] = escape(segments[i])
	}
	hash := r.Header.Get("X-Sdk-Content-Sha256")
	if hash == "" {
		hash = hexSHA256(body)
	}
	return strings.Join([]string{
		r.Method, strings.Join(segments, "/") + "/", canonicalQuery(r.URL.Query()),
		canonicalHeaders(r, r.Host, signed), strings.Join(signed, ";"), hash,
	}, "\n")
}
