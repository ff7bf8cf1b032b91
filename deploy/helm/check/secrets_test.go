package check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
)

// existingSecrets are those that the value sets take for granted, by name and key.
func existingSecrets(t *testing.T) map[string]map[string]string {
	t.Helper()
	cert, key := certificate(t)
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	curve, err := nkeys.CreateCurveKeys()
	if err != nil {
		t.Fatal(err)
	}
	tls := map[string]string{"tls.crt": cert, "tls.key": key, "ca.crt": cert}
	return map[string]map[string]string{
		"sluice-vendors": {"VOLC_AK": "AKLT-example", "VOLC_SK": "c2VjcmV0", "TC_ID": "AKID-example", "TC_KEY": "secret"},
		"sluice-keys":    {"volc-ak": "AKLT-example", "volc-sk": "c2VjcmV0\n", "hw-ak": "HW-example", "hw-sk": "secret"},
		"sluice-nats": {"sluice.creds": "-----BEGIN NATS USER JWT-----\n", "user.nk": seed(t, user), "token": "nats-token",
			"username": "sluice", "password": "p@ss: word"},
		"sluice-nats-tls": tls, "sluice-intake-tls": tls,
		"sluice-publishers": {"alertmanager": "publisher-token"},
		"redis-passwords":   {"cache-1": "secret"},
		"sluice-xkey":       {"xkey.seed": seed(t, curve)},
	}
}

func seed(t *testing.T, pair nkeys.KeyPair) string {
	t.Helper()
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return string(seed)
}

// certificate makes one that signs itself.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sluice"}, DNSNames: []string{"sluice"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}
