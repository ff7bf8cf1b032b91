package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// admit checks form, signature, time and nonce, in this order; the vendor's
// order is not documented.
func (c *crs) admit(x *exchange) *refusal {
	params := x.input.(url.Values)
	if x.set.quirks.CRSHTTPS && x.r.TLS == nil {
		return crsRefuse("4600", "HTTPS is required.")
	}
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		return crsRefuse("4600", "Only GET and POST are supported.")
	}
	for _, name := range []string{"Action", "Region", "Timestamp", "Nonce", "SecretId", "Signature"} {
		if params.Get(name) == "" {
			return crsRefuse("4000", "The parameter "+name+" is missing.")
		}
	}
	if r := c.verify(x, params); r != nil {
		return r
	}
	return c.fresh(x, params)
}

func (c *crs) verify(x *exchange, params url.Values) *refusal {
	var ok bool
	if x.cred, ok = x.s.keys.find(x.vendor, x.key); !ok {
		return crsRefuse("4104", "The SecretId does not exist.")
	}
	text := crsStringToSign(x.r.Method, x.r.Host, x.r.URL.Path, params)
	if !sameText(params.Get("Signature"), crsSignature(x.cred.Secret, params.Get("SignatureMethod"), text)) {
		return crsRefuse("4100", "The signature does not match the request.")
	}
	if params.Get("Token") != x.cred.SessionToken {
		return crsRefuse("4105", "The token is missing, wrong or expired.")
	}
	return nil
}

// crsStringToSign joins the parameters raw, sorted by the bytes of their names.
func crsStringToSign(method, host, path string, params url.Values) string {
	var names []string
	for name := range params {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + params.Get(name)
	}
	return method + host + path + "?" + strings.Join(names, "&")
}

// crsSignature uses SHA-1 unless SHA-256 is asked for by its exact name.
func crsSignature(secret, method, text string) string {
	algorithm := func() hash.Hash { return sha1.New() }
	if method == "HmacSHA256" {
		algorithm = sha256.New
	}
	m := hmac.New(algorithm, []byte(secret))
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// fresh refuses a clock that is off and a request that came before.
func (c *crs) fresh(x *exchange, params url.Values) *refusal {
	seconds, err := strconv.ParseInt(params.Get("Timestamp"), 10, 64)
	nonce, nonceErr := strconv.ParseUint(params.Get("Nonce"), 10, 64)
	if err != nil || nonceErr != nil || nonce == 0 {
		return crsRefuse("4000", "Timestamp and Nonce must be positive integers.")
	}
	window := x.set.quirks.CRSReplayWindow
	life := x.set.quirks.signatureLife(window)
	if off := x.at.Sub(time.Unix(seconds, 0)); off > life || off < -window {
		return crsRefuse("4500", "The Timestamp is too far from the server's time.")
	}
	if !c.replays.first(x.key+"\x00"+params.Get("Nonce")+"\x00"+params.Get("Timestamp"), x.at, max(window, life)) {
		return crsRefuse("4500", "The Nonce was used before.")
	}
	return nil
}

// replayGuard remembers requests for twice the window: a timestamp may be a
// window ahead and is good until a window after.
type replayGuard struct {
	mu    sync.Mutex
	seen  map[string]struct{}
	queue []replay
}

type replay struct {
	name string
	at   time.Time
}

func (g *replayGuard) first(name string, now time.Time, window time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := 0
	for old < len(g.queue) && now.Sub(g.queue[old].at) > 2*window {
		delete(g.seen, g.queue[old].name)
		old++
	}
	g.queue = g.queue[old:]
	if _, known := g.seen[name]; known {
		return false
	}
	g.seen[name] = struct{}{}
	g.queue = append(g.queue, replay{name, now})
	return true
}

func (g *replayGuard) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen, g.queue = map[string]struct{}{}, nil
}
