package intake

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func block(kind string, raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})
}

func (a *authority) pem() []byte { return block("CERTIFICATE", a.cert.Raw) }

// issue makes a certificate for a name, and its key.
func (a *authority) issue(t *testing.T, name string, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &private.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", raw), block("EC PRIVATE KEY", encoded)
}

// secured is a rig behind a TLS listener with certificates in files.
type secured struct {
	*rig
	ca    *authority
	files TLS
}

func newSecured(t *testing.T) *secured {
	t.Helper()
	s := &secured{rig: newRig(t, func(o *Options) {
		o.Clients = append(o.Clients, Client{Name: "robot", CommonName: "robot.example", Operations: []string{"restart"}})
	}), ca: newAuthority(t, "test authority")}
	dir := t.TempDir()
	s.files = TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key"), ClientCA: filepath.Join(dir, "ca.crt")}
	s.rotate(1)
	s.write(s.files.ClientCA, s.ca.pem())
	server, err := Listen("127.0.0.1:0", s.files, s.handler, s.options.Logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s.url = "https://" + server.Addr()
	return s
}

func (s *secured) write(name string, content []byte) {
	s.t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// rotate writes a new certificate with that serial number.
func (s *secured) rotate(serial int64) {
	cert, key := s.ca.issue(s.t, "intake", serial)
	s.write(s.files.Cert, cert)
	s.write(s.files.Key, key)
}

// client makes a connection of its own, with a certificate if it has a name.
func (s *secured) client(from *authority, name string, change func(*tls.Config)) *http.Client {
	s.t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(s.ca.cert)
	if name != "" {
		cert, key := from.issue(s.t, name, 99)
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			s.t.Fatal(err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	if change != nil {
		change(config)
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func (s *secured) send(c *http.Client, token string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, s.url+"/v1/commands", strings.NewReader(structured("a", "restart", restartData)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", structuredType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return c.Do(req)
}

func TestWhoIsKnownOverTLS(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	stranger := newAuthority(t, "another authority")
	for name, c := range map[string]struct {
		client *http.Client
		token  string
		code   int
		as     string
	}{
		"certificate":                 {s.client(s.ca, "robot.example", nil), "", 202, "/intake/robot"},
		"token":                       {s.client(nil, "", nil), batchToken, 202, "/intake/batch"},
		"token beside a certificate":  {s.client(s.ca, "robot.example", nil), batchToken, 202, "/intake/batch"},
		"wrong token and certificate": {s.client(s.ca, "robot.example", nil), "x", 401, ""},
		"unknown name":                {s.client(s.ca, "somebody.example", nil), "", 401, ""},
		"nothing":                     {s.client(nil, "", nil), "", 401, ""},
		"unknown authority":           {s.client(stranger, "robot.example", nil), "", 0, ""},
		"TLS 1.1":                     {s.client(nil, "", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), batchToken, 0, ""},
		"TLS 1.2":                     {s.client(s.ca, "robot.example", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), "", 202, "/intake/robot"},
	} {
		resp, err := s.send(c.client, c.token)
		if c.code == 0 {
			if err == nil {
				resp.Body.Close()
				t.Errorf("%s: answered %d", name, resp.StatusCode)
			}
			continue
		}
		a := s.read(resp, err)
		if a.code != c.code || c.as != "" && a.stored[0].Source != c.as {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
		if resp.ProtoMajor != 2 {
			t.Errorf("%s: %s", name, resp.Proto)
		}
	}
}

// Certificates are read again when they change, for new connections; a half-done
// change leaves the last good ones in force.
func TestCertificatesAreReadAgain(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	serial := func() int64 {
		resp, err := s.send(s.client(nil, "", nil), batchToken)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Fatalf("certificate %d", n)
	}
	cert, key := s.ca.issue(t, "intake", 2)
	s.write(s.files.Cert, cert)
	if n := serial(); n != 1 {
		t.Errorf("certificate %d while its key is missing", n)
	}
	s.write(s.files.Key, key)
	if n := serial(); n != 2 {
		t.Errorf("certificate %d after the rotation", n)
	}
	if !strings.Contains(s.log.String(), "the last ones stay in force") {
		t.Error("the half-done change is not logged")
	}
	// The authorities too.
	next := newAuthority(t, "next authority")
	s.write(s.files.ClientCA, append(next.pem(), s.ca.pem()...))
	if a := s.read(s.send(s.client(next, "robot.example", nil), "")); a.code != 202 {
		t.Errorf("a certificate of the next authority: %d %s", a.code, a.body)
	}
}

func TestListenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	log := slog.New(slog.DiscardHandler)
	broken := s.files
	broken.Key = s.files.Cert
	noCA := s.files
	noCA.ClientCA = s.files.Key
	for want, c := range map[string]struct {
		addr  string
		files TLS
	}{
		"intake.tls":          {"127.0.0.1:0", broken},
		"intake.tls.clientCA": {"127.0.0.1:0", noCA},
		"intake.listen":       {strings.TrimPrefix(s.url, "https://"), s.files},
	} {
		server, err := Listen(c.addr, c.files, s.handler, log)
		if err == nil {
			server.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), want+":") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// A request under way when the drain begins is answered; the next finds nobody.
func TestDrain(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	server, err := Listen("127.0.0.1:0", TLS{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		w.WriteHeader(http.StatusAccepted)
	}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	code := make(chan int)
	go func() {
		resp, err := client.Post("http://"+server.Addr(), "", nil)
		if err != nil {
			code <- 0
			return
		}
		resp.Body.Close()
		code <- resp.StatusCode
	}()
	<-entered
	drained := make(chan struct{})
	go func() {
		server.Drain(testContext(t))
		close(drained)
	}()
	for {
		c, err := (&net.Dialer{}).DialContext(testContext(t), "tcp", server.Addr())
		if err != nil {
			break
		}
		c.Close()
	}
	close(leave)
	if got := <-code; got != http.StatusAccepted {
		t.Errorf("the request under way was answered %d", got)
	}
	<-drained
}

// What does not end in time is cut off.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	server, err := Listen("127.0.0.1:0", TLS{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	ended := make(chan error)
	go func() {
		resp, err := client.Get("http://" + server.Addr())
		if err == nil {
			resp.Body.Close()
		}
		ended <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	server.Drain(ctx)
	if <-ended == nil {
		t.Error("the request was answered")
	}
}
