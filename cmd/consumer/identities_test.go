package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/seed-7b870224/sluice/internal/config"
)

// identityCase is a way to prove who one is: what the server's configuration says of it, what
// the consumer's does, and what a wrong one looks like.
type identityCase struct {
	name, server, right, wrong, says string
	scheme                           string
}

// The consumer starts with every kind of credentials, from configuration files on both
// sides and with an inbox of its own; with wrong ones it says so and is not ready.
func TestIdentitiesFromFiles(t *testing.T) {
	t.Parallel()
	pki := newPKI(t)
	serverTLS := fmt.Sprintf("cert_file: %q, key_file: %q, ca_file: %q", pki.server.cert, pki.server.key, pki.ca.cert)
	tlsOf := func(c pemPair) string {
		return fmt.Sprintf("tls: {ca: %q, cert: %q, key: %q}", pki.ca.cert, c.cert, c.key)
	}
	caOnly := fmt.Sprintf("tls: {ca: %q}", pki.ca.cert)
	pair, seed := newUser(t)
	_, otherSeed := newUser(t)
	operator := newOperator(t)
	for _, c := range []identityCase{
		{"user and password", `authorization: {users: [{user: u, password: p, permissions: ` + own("u") + `}]}`,
			"user: u, password: p", "user: u, password: nope", `user "u" or its password`, "nats"},
		{"token", `authorization: {token: t0ken}`, "token: t0ken", "token: nope", "refuses the token", "nats"},
		{"nkey", `authorization: {users: [{nkey: ` + pair + `, permissions: ` + own(pair) + `}]}`,
			fmt.Sprintf("nkeySeedFile: %q", seed), fmt.Sprintf("nkeySeedFile: %q", otherSeed), "the nkey in " + otherSeed, "nats"},
		{"credentials", operator.server, fmt.Sprintf("credentialsFile: %q", operator.right), fmt.Sprintf("credentialsFile: %q", operator.wrong),
			"the credentials in " + operator.wrong, "nats"},
		{"server certificate", `tls: {` + serverTLS + `}`, caOnly, fmt.Sprintf("tls: {ca: %q}", pki.stranger.cert), "name the authority", "tls"},
		{"client certificate", `tls: {` + serverTLS + `, verify: true}`, tlsOf(pki.client), tlsOf(pki.stranger), "our side of TLS", "tls"},
		{"client certificate as user", `tls: {` + serverTLS + `, verify_and_map: true}
authorization: {users: [{user: "CN=sluice", permissions: ` + own("sluice") + `}]}`, tlsOf(pki.client), tlsOf(pki.other), "the certificate in " + pki.other.cert, "tls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := c.scheme + strings.TrimPrefix(serveFile(t, c.server), "nats")
			starts(t, url, c.right)
			refused(t, url, c.wrong, c.says)
		})
	}
}

// own allows everything but other users' inboxes.
func own(name string) string {
	return `{publish: ">", subscribe: {allow: ["_INBOX.` + name + `.>", "sluice.>", "$JS.EVENT.>"]}}`
}

// serveFile runs a server with a configuration file and returns its address.
func serveFile(t *testing.T, text string) string {
	t.Helper()
	opts, err := server.ProcessConfigFile(file(t, "nats.conf", fmt.Sprintf("jetstream: {store_dir: %q}\n%s\n", t.TempDir(), text)))
	if err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	ns, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server is not ready")
	}
	return fmt.Sprintf("nats://127.0.0.1:%d", portOf(t, ns.Addr().String()))
}

// consumerAs runs a consumer in the background with that identity.
func consumerAs(t *testing.T, url, identity string) (*consumer, *logBuffer) {
	t.Helper()
	conf, err := config.Load(file(t, "sluice.yaml", fmt.Sprintf("nats: {url: %q, %s}\nhttp: {listen: \"127.0.0.1:0\"}\n", url, identity)), config.Options{Catalog: catalog()})
	if err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{}
	c, err := newConsumer(t.Context(), conf, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.serve(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		c.close()
	})
	return c, log
}

// readyz asks the consumer's probe.
func readyz(t *testing.T, c *consumer) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + c.http.Addr() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// starts requires that a consumer gets ready.
func starts(t *testing.T, url, identity string) {
	t.Helper()
	c, log := consumerAs(t, url, identity)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := until(ctx, func() (bool, error) { code, _ := readyz(t, c); return code == http.StatusOK, nil }); err != nil {
		_, says := readyz(t, c)
		t.Errorf("not ready: %s\n%s", says, log)
	}
}

// refused requires that log and probe of a consumer say why it does not get in.
func refused(t *testing.T, url, identity, says string) {
	t.Helper()
	c, log := consumerAs(t, url, identity)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	body := ""
	err := until(ctx, func() (bool, error) {
		code, text := readyz(t, c)
		body = text
		logged := strings.ReplaceAll(log.String(), `\"`, `"`)
		return code == http.StatusServiceUnavailable && strings.Contains(text, says) && strings.Contains(logged, says), nil
	})
	if err != nil {
		t.Errorf("want %q in the probe and the log:\n%s\n%s", says, body, log)
	}
}

// newUser makes an nkey and the file of its seed.
func newUser(t *testing.T) (public, seedFile string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return public, file(t, "seed", string(seed))
}

// operatorSetup is an operator with an account, in the server's memory, and the
// credentials of a user and of one who was revoked.
type operatorSetup struct{ server, right, wrong string }

func newOperator(t *testing.T) operatorSetup {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	operator, err := nkeys.CreateOperator()
	must(err)
	operatorKey, err := operator.PublicKey()
	must(err)
	account, err := nkeys.CreateAccount()
	must(err)
	accountKey, err := account.PublicKey()
	must(err)
	system, err := nkeys.CreateAccount()
	must(err)
	systemKey, err := system.PublicKey()
	must(err)
	claims := jwt.NewAccountClaims(accountKey)
	claims.Limits.DiskStorage, claims.Limits.MemoryStorage = -1, -1
	right, _ := credentialsFile(t, account)
	wrong, revoked := credentialsFile(t, account)
	claims.Revoke(revoked)
	accountJWT, err := claims.Encode(operator)
	must(err)
	systemJWT, err := jwt.NewAccountClaims(systemKey).Encode(operator)
	must(err)
	operatorClaims := jwt.NewOperatorClaims(operatorKey)
	operatorClaims.SystemAccount = systemKey
	operatorJWT, err := operatorClaims.Encode(operator)
	must(err)
	conf := fmt.Sprintf("operator: %q\nresolver: MEMORY\nresolver_preload: {%s: %s, %s: %s}\n",
		operatorJWT, accountKey, accountJWT, systemKey, systemJWT)
	return operatorSetup{conf, right, wrong}
}

// credentialsFile makes a user of the account, with the rights of one who has a name.
func credentialsFile(t *testing.T, account nkeys.KeyPair) (path, public string) {
	t.Helper()
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = user.PublicKey(); err != nil {
		t.Fatal(err)
	}
	claims := jwt.NewUserClaims(public)
	claims.Name = "sluice consumer"
	claims.Sub.Allow = jwt.StringList{"_INBOX.sluice_consumer.>", "sluice.>", "$JS.EVENT.>"}
	token, err := claims.Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "user.creds", string(text)), public
}

// pemPair is the files of a certificate and its key.
type pemPair struct{ cert, key string }

// pki is an authority and what it has signed; the stranger has signed himself.
type pki struct{ ca, server, client, other, stranger pemPair }

func newPKI(t *testing.T) pki {
	t.Helper()
	ca, caCert, caKey := issue(t, "authority", nil, nil)
	var out pki
	out.ca = ca
	out.server, _, _ = issue(t, "server", caCert, caKey)
	out.client, _, _ = issue(t, "sluice", caCert, caKey)
	out.other, _, _ = issue(t, "somebody", caCert, caKey)
	out.stranger, _, _ = issue(t, "sluice", nil, nil)
	return out
}

// issue makes a certificate, signed by itself without a parent.
func issue(t *testing.T, name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (pemPair, *x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: parent == nil, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var certPEM, keyPEM bytes.Buffer
	_ = pem.Encode(&certPEM, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	_ = pem.Encode(&keyPEM, &pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	return pemPair{file(t, name+".crt", certPEM.String()), file(t, name+".key", keyPEM.String())}, certificate, key
}
