package broker

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/seed-7b870224/sluice/internal/secret"
)

func TestIdentities(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(*testing.T, *server.Options) Options
	}{
		{"user and password", func(_ *testing.T, s *server.Options) Options {
			s.Username, s.Password = "u", "p"
			return Options{User: "u", Password: secret.New("p")}
		}},
		{"token", func(_ *testing.T, s *server.Options) Options {
			s.Authorization = "t"
			return Options{Token: secret.New("t")}
		}},
		{"nkey", withNKey},
		{"credentials", withCredentials},
		{"client certificate", withCertificates},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			theirs := &server.Options{JetStream: true}
			ours := tt.prepare(t, theirs)
			ours.URL = external(t, theirs)
			mustSetup(t, testConnect(t, ours))

			stranger, err := Connect(testContext(t), Options{URL: ours.URL, CA: ours.CA})
			if err != nil {
				t.Fatal(err)
			}
			defer stranger.Close()
			ctx, cancel := context.WithTimeout(testContext(t), 500*time.Millisecond)
			defer cancel()
			if err := stranger.WaitConnected(ctx); err == nil {
				t.Error("a stranger got in")
			}
		})
	}
}

// Wrong credentials are repaired while the process waits, so it must go on trying.
func TestRefusedCredentialsDoNotEndTheConnection(t *testing.T) {
	t.Parallel()
	url := external(t, &server.Options{Username: "u", Password: "p"})
	c, err := Connect(testContext(t), Options{URL: url, User: "u", Password: secret.New("wrong")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(testContext(t), 2*time.Second)
	defer cancel()
	if err := c.WaitConnected(ctx); err == nil || !strings.Contains(err.Error(), "Authorization Violation") {
		t.Errorf("got %v", err)
	}
	if c.nc.IsClosed() {
		t.Error("the connection has given up")
	}
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// key makes an nkey, and its public form.
func key(t *testing.T, make func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
	t.Helper()
	pair, err := make()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return pair, public
}

func withNKey(t *testing.T, s *server.Options) Options {
	pair, public := key(t, nkeys.CreateUser)
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	s.Nkeys = []*server.NkeyUser{{Nkey: public}}
	return Options{NKeySeedFile: writeFile(t, "seed", seed)}
}

// withCredentials sets up an operator with one account.
func withCredentials(t *testing.T, s *server.Options) Options {
	operator, operatorKey := key(t, nkeys.CreateOperator)
	account, accountKey := key(t, nkeys.CreateAccount)
	user, userKey := key(t, nkeys.CreateUser)

	claims := jwt.NewAccountClaims(accountKey)
	claims.Limits.DiskStorage, claims.Limits.MemoryStorage = -1, -1
	accountJWT, err := claims.Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	userJWT, err := jwt.NewUserClaims(userKey).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	file, err := jwt.FormatUserConfig(userJWT, seed)
	if err != nil {
		t.Fatal(err)
	}
	resolver := &server.MemAccResolver{}
	if err := resolver.Store(accountKey, accountJWT); err != nil {
		t.Fatal(err)
	}
	s.TrustedKeys, s.AccountResolver = []string{operatorKey}, resolver
	_, systemKey := key(t, nkeys.CreateAccount)
	systemJWT, err := jwt.NewAccountClaims(systemKey).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	if err := resolver.Store(systemKey, systemJWT); err != nil {
		t.Fatal(err)
	}
	s.SystemAccount = systemKey
	return Options{CredentialsFile: writeFile(t, "user.creds", file)}
}

func withCertificates(t *testing.T, s *server.Options) Options {
	certificate, keyFile := selfSigned(t)
	pair, err := tls.LoadX509KeyPair(certificate, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pemData, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pemData)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	s.TLSVerify, s.TLSTimeout = true, 5
	return Options{CA: certificate, Cert: certificate, Key: keyFile}
}

// selfSigned writes a certificate that serves as authority, server and client.
func selfSigned(t *testing.T) (certificateFile, keyFile string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		writeFile(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}
