package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/time/rate"
)

// client is a Client at work.
type client struct {
	Client
	token  [sha256.Size]byte // hash of the token
	pace   *rate.Limiter
	places chan struct{}
}

func newClient(c Client, l Limits) *client {
	return &client{
		Client: c, token: sha256.Sum256([]byte(c.Token.Reveal())),
		pace: rate.NewLimiter(rate.Limit(l.Rate), l.Burst), places: make(chan struct{}, l.Together),
	}
}

// mayAsk reports whether the client may ask for the operation.
func (c *client) mayAsk(operation string) bool { return slices.Contains(c.Operations, operation) }

// mayUse reports whether the client may ask for something of the account.
func (c *client) mayUse(account string) bool {
	return c.Accounts == nil || slices.Contains(c.Accounts, account)
}

// identify finds out who asks, by bearer token or, without one, by a client
// certificate that the listener has verified. All tokens are compared, each in
// constant time, so that the time taken tells nothing of any.
func (h *Handler) identify(r *http.Request) *client {
	if r.Header.Get("Authorization") != "" {
		return h.byToken(bearer(r))
	}
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	name := r.TLS.VerifiedChains[0][0].Subject.CommonName
	for _, c := range h.clients {
		if c.CommonName != "" && c.CommonName == name {
			return c
		}
	}
	return nil
}

func (h *Handler) byToken(token string) *client {
	given := sha256.Sum256([]byte(token))
	var found *client
	for _, c := range h.clients {
		same := subtle.ConstantTimeCompare(given[:], c.token[:]) == 1
		if same && !c.Token.Empty() && token != "" {
			found = c
		}
	}
	return found
}

// bearer is the token of the one Authorization header; empty if it is of another kind.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || len(r.Header.Values("Authorization")) > 1 {
		return ""
	}
	return strings.TrimSpace(token)
}

// unauthorized says no more than that nobody is known by what was shown.
func unauthorized(w http.ResponseWriter, r *http.Request) *problem {
	challenge := `Bearer realm="sluice"`
	if r.Header.Get("Authorization") != "" {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	return newProblem(http.StatusUnauthorized, "", "no publisher is known by this token or client certificate; send Authorization: Bearer TOKEN, or a certificate that intake.publishers names")
}
