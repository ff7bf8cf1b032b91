package tencentcrs

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// sha256Method is the value of SignatureMethod that selects SHA-256. Without it,
// or with anything else, the API takes the signature for one with SHA-1.
const sha256Method = "HmacSHA256"

// Signature signs parameters, sorted by the bytes of their names and with their
// values as they are. Which hash it uses is itself a parameter.
//
// Source: Tencent Cloud docs 215/1693 and 213/11652.
func Signature(method, host, path string, params map[string]string, key secret.Text) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, name+"="+params[name])
	}
	var newHash func() hash.Hash = sha1.New
	if params["SignatureMethod"] == sha256Method {
		newHash = sha256.New
	}
	h := hmac.New(newHash, []byte(key.Reveal()))
	h.Write([]byte(method + host + path + "?" + strings.Join(pairs, "&")))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Sign gives the form of one POST to a host: the action's parameters, the common
// ones and the signature over both. The path of the API is signed alone, also
// where the endpoint has a prefix: what serves it there takes it off.
func Sign(host, region, action string, params map[string]string, creds vendors.Credentials, at time.Time, nonce uint32) url.Values {
	all := maps.Clone(params)
	if all == nil {
		all = map[string]string{}
	}
	all["Action"] = action
	all["Region"] = region
	all["Timestamp"] = strconv.FormatInt(at.Unix(), 10)
	all["Nonce"] = strconv.FormatUint(uint64(nonce), 10)
	all["SecretId"] = creds.AccessKey
	all["SignatureMethod"] = sha256Method
	if !creds.SessionToken.Empty() {
		all["Token"] = creds.SessionToken.Reveal()
	}
	form := url.Values{"Signature": {Signature(http.MethodPost, host, path, all, creds.SecretKey)}}
	for name, value := range all {
		form.Set(name, value)
	}
	return form
}

// newNonce is a random number above zero that fits 31 bits, since old servers may
// hold it in a signed integer. With the timestamp it makes every request unique.
func newNonce() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // It never fails.
	return binary.BigEndian.Uint32(b[:])>>1 | 1
}
