package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nkeys"
)

// A sealed secret is one line of standard base64 over
//
//	sender   56 bytes  public key of the ephemeral sender, as NATS writes it (X...)
//	version   4 bytes  "xkv1"
//	nonce    24 bytes
//	box       n bytes  NaCl box (X25519, XSalsa20, Poly1305), 16 more than the secret
//
// The last three are exactly what an xkey of NATS (nkeys, XKeyVersionV1) makes
// and opens. The sender's key is made for one secret and thrown away, so sealing
// needs the consumer's public key only, and proves nothing about who sealed.
const (
	keyLength    = 56
	sealOverhead = keyLength + 4 + 24 + 16
)

var errBadKey = errors.New("sealing: the key is not an X25519 public key of NATS (X..., 56 characters); give the consumer's")

// Seal seals a secret to the public key (X...) of a consumer.
func Seal(publicKey string, plain []byte) (string, error) {
	switch {
	case len(plain) == 0:
		return "", errors.New("sealing: there is nothing to seal; give the secret on standard input")
	case len(plain) > MaxSize:
		return "", fmt.Errorf("sealing: the secret is over %d bytes; it must be smaller", MaxSize)
	}
	publicKey = strings.TrimSpace(publicKey)
	if len(publicKey) != keyLength {
		// Checked here, since nkeys panics on a key that is too long.
		return "", errBadKey
	}
	sender, err := nkeys.CreateCurveKeys()
	if err != nil {
		return "", fmt.Errorf("sealing: no ephemeral key could be made: %w", err)
	}
	defer sender.Wipe()
	public, err := sender.PublicKey()
	if err != nil {
		return "", fmt.Errorf("sealing: the ephemeral key has no public half: %w", err)
	}
	box, err := sender.Seal(plain, publicKey)
	if err != nil {
		return "", errBadKey
	}
	return base64.StdEncoding.EncodeToString(append([]byte(public), box...)), nil
}

// Unseal opens what Seal sealed to the store's key.
func (s *Store) Unseal(sealed string) (Text, error) {
	if s.key == nil {
		return Text{}, errNoKey("unsealing a secret")
	}
	sealed = strings.TrimSpace(sealed)
	if len(sealed) > base64.StdEncoding.EncodedLen(MaxSize+sealOverhead) {
		return Text{}, fmt.Errorf("unsealing a secret: it is over %d bytes; seal a smaller one", MaxSize)
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(raw) <= sealOverhead {
		return Text{}, errors.New("unsealing a secret: it is not the base64 line that `consumer seal` prints; seal it again")
	}
	plain, err := s.key.Open(raw[keyLength:], string(raw[:keyLength]))
	if err != nil {
		return Text{}, errors.New("unsealing a secret: it is damaged or sealed to another key; seal it again to this consumer's public key")
	}
	return New(string(plain)), nil
}

// PublicKey is the key to which secrets for this store are sealed.
func (s *Store) PublicKey() (string, error) {
	if s.key == nil {
		return "", errNoKey("naming the public key for sealing")
	}
	return s.key.PublicKey()
}

func errNoKey(operation string) error {
	return fmt.Errorf("%s: the consumer has no key; set secrets.xkeySeedFile to a file with an X25519 seed of NATS", operation)
}
