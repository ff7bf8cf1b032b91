package intake

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

var errNotReady = errors.New("the intake's key is not stored yet")

// keyPrefix begins the keys of the ledger's bucket that hold public keys of intakes.
const keyPrefix = "intake."

const (
	storeRetry = time.Second
	// maxRefresh is the longest time between two writes of a public key.
	maxRefresh = 24 * time.Hour
)

// Signer proves to the replicas that a message was stored by the intake: anybody who
// may publish on NATS could write a publisher's name into an event.
//
// Every process signs with a key of its own that is never stored. The public key is
// kept in the ledger's bucket, where publishers cannot write, for as long as records
// are: a command outlives the process that took it. Whoever can read the bucket
// learns nothing that would let him sign.
type Signer struct {
	kv      broker.KV
	refresh time.Duration
	log     *slog.Logger
	private ed25519.PrivateKey
	public  ed25519.PublicKey
	id      string
	stored  atomic.Bool
}

// NewSigner makes a key. Entries of the bucket vanish after retention.
func NewSigner(kv broker.KV, retention time.Duration, log *slog.Logger) (*Signer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the intake's key: %w", err)
	}
	return &Signer{
		kv: kv, refresh: min(retention/4, maxRefresh), log: log,
		private: private, public: public, id: events.TokenKey(string(public)),
	}, nil
}

// Run stores the public key and keeps it stored until ctx ends.
func (s *Signer) Run(ctx context.Context) {
	var revision uint64
	for try := 0; ; try++ {
		wait := s.refresh
		var err error
		if revision, err = s.store(ctx, revision); err != nil {
			if try%30 == 0 && ctx.Err() == nil {
				s.log.Warn("cannot store the intake's public key; trying on", "error", err)
			}
			wait = storeRetry
		} else {
			s.stored.Store(true)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// store writes the public key over its own earlier writing. After an error it is not
// known which that was.
func (s *Signer) store(ctx context.Context, revision uint64) (uint64, error) {
	key, value := keyPrefix+s.id, []byte(base64.StdEncoding.EncodeToString(s.public))
	if revision == 0 {
		at, err := s.kv.Create(ctx, key, value)
		if !errors.Is(err, broker.ErrConflict) {
			return at, err
		}
		e, err := s.kv.Get(ctx, key)
		if err != nil {
			return 0, err
		}
		revision = e.Revision
	}
	at, err := s.kv.Update(ctx, key, value, revision)
	if err != nil {
		return 0, err
	}
	return at, nil
}

// Sign proves a statement. It reports false until the public key is stored.
func (s *Signer) Sign(statement []byte) (proof string, ok bool) {
	if !s.stored.Load() {
		return "", false
	}
	return s.id + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.private, statement)), true
}

// splitProof takes a proof apart; false if it is none.
func splitProof(proof string) (id string, signature []byte, ok bool) {
	id, encoded, _ := strings.Cut(proof, ".")
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	ok = err == nil && len(signature) == ed25519.SignatureSize && len(id) == tokenKeyLength &&
		strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
	return id, signature, ok
}

const tokenKeyLength = 26
