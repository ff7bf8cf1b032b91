package intake

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

const (
	// lookUp bounds the search for a public key that is not known yet.
	lookUp = time.Second
	// unknownFor is how long a key that was not found is not searched for again, and
	// unknownMost how many of them are remembered.
	unknownFor  = 10 * time.Second
	unknownMost = 1000
)

// Verifier checks proofs against the public keys of the ledger's bucket.
type Verifier struct {
	kv broker.KV

	mu      sync.Mutex
	known   map[string]ed25519.PublicKey
	unknown map[string]time.Time
}

// NewVerifier makes a verifier.
func NewVerifier(kv broker.KV) *Verifier {
	return &Verifier{kv: kv, known: map[string]ed25519.PublicKey{}, unknown: map[string]time.Time{}}
}

// Verify reports whether the event was stored by an intake of this installation, for
// the publisher that it names.
func (v *Verifier) Verify(env events.Envelope, header broker.Header, data []byte) bool {
	id, signature, ok := splitProof(events.Header(header, events.HeaderProof))
	if !ok {
		return false
	}
	public := v.key(id)
	statement := events.Statement(env.Extensions[events.ExtensionPublisher], env.Source, env.ID, data)
	return public != nil && ed25519.Verify(public, statement, signature)
}

// key finds a public key; nil if there is none.
func (v *Verifier) key(id string) ed25519.PublicKey {
	v.mu.Lock()
	public, missed := v.known[id], v.unknown[id]
	v.mu.Unlock()
	if public != nil || time.Since(missed) < unknownFor {
		return public
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUp)
	defer cancel()
	e, err := v.kv.Get(ctx, keyPrefix+id)
	switch {
	case err == nil:
		public = publicKey(id, e.Value)
	case !errors.Is(err, broker.ErrNotFound):
		return nil // it may be there
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if public != nil {
		v.known[id] = public
		return public
	}
	if len(v.unknown) >= unknownMost {
		clear(v.unknown)
	}
	v.unknown[id] = time.Now()
	return nil
}

// publicKey reads a stored key, which must be the one it is named after.
func publicKey(id string, value []byte) ed25519.PublicKey {
	raw, err := base64.StdEncoding.DecodeString(string(value))
	if err != nil || len(raw) != ed25519.PublicKeySize || events.TokenKey(string(raw)) != id {
		return nil
	}
	return raw
}
