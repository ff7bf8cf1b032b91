package intake

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLS are the files of the listener's certificates; without Cert it speaks plain HTTP.
type TLS struct {
	Cert, Key string
	// ClientCA holds the authorities of client certificates.
	ClientCA string
}

// certificates reads the files again when they have changed: whoever rotates them
// replaces the files and restarts nothing.
type certificates struct {
	files TLS
	log   *slog.Logger

	mu     sync.Mutex
	seen   [3]fileState
	config *tls.Config
	failed string // the error last logged
}

// fileState tells versions of a file apart.
type fileState struct {
	modified time.Time
	size     int64
}

// newCertificates reads the files for the first time, when a mistake still ends the
// start.
func newCertificates(files TLS, log *slog.Logger) (*certificates, error) {
	c := &certificates{files: files, log: log}
	seen := c.look()
	config, err := c.load()
	if err != nil {
		return nil, err
	}
	c.seen, c.config = seen, config
	return c, nil
}

// listener is the configuration that looks at the files for every connection.
func (c *certificates) listener() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current(), nil }}
}

// current is the configuration of the files as they are. Files that cannot be read,
// or do not fit each other because only one was replaced so far, leave the last good
// ones in force, and are tried again at the next connection.
func (c *certificates) current() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.look()
	if seen == c.seen {
		return c.config
	}
	config, err := c.load()
	switch {
	case err == nil:
		c.seen, c.config, c.failed = seen, config, ""
		c.log.Info("the intake's certificates were read again", "cert", c.files.Cert)
	case err.Error() != c.failed:
		c.failed = err.Error()
		c.log.Error("the intake's certificates have changed and cannot be used; the last ones stay in force", "error", err)
	}
	return c.config
}

func (c *certificates) look() (seen [3]fileState) {
	for i, name := range []string{c.files.Cert, c.files.Key, c.files.ClientCA} {
		if info, err := os.Stat(name); name != "" && err == nil {
			seen[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return seen
}

func (c *certificates) load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return nil, fmt.Errorf("intake.tls: %w; name a certificate and its key in PEM", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if c.files.ClientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(c.files.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("intake.tls.clientCA: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("intake.tls.clientCA: %s holds no certificate in PEM", c.files.ClientCA)
	}
	// Publishers with tokens show none.
	config.ClientAuth = tls.VerifyClientCertIfGiven
	return config, nil
}
