package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/nats-io/nats.go"
)

// Trouble is why there is no connection now, with the way out where one is known; nil
// while there is one.
func (c *Conn) Trouble() error {
	if c.Connected() {
		return nil
	}
	err := c.lastError()
	if err == nil {
		return fmt.Errorf("not connected to NATS at %s yet", hosts(c.opts))
	}
	return fmt.Errorf("not connected to NATS at %s: %w", hosts(c.opts), explained(c.opts, err))
}

// closedAfterHandshake is what is left of the server's refusal of a client certificate
// where the connection was gone before its reason was read: in TLS 1.3 the handshake is
// over for the client before the server has judged it.
const closedAfterHandshake = "closed by remote after TLS handshake"

// explained adds to a failed attempt what can be done about it.
func explained(o Options, err error) error {
	if err == nil {
		return nil
	}
	way := ""
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var alert tls.AlertError
	switch {
	case isAuth(err):
		way = "the server refuses " + identity(o) + ": correct it, or the user on the server; it is tried again all the while"
	case errors.As(err, &unknown):
		way = "name the authority that signed the server's certificate in nats.tls.ca"
	case errors.As(err, &wrongName):
		way = "connect by a name that the server's certificate holds, or have it made for this one"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls"), strings.Contains(err.Error(), closedAfterHandshake):
		way = "the server refuses our side of TLS: see that nats.tls.cert and nats.tls.key are there, valid, and signed by an authority it knows"
	case errors.Is(err, nats.ErrSecureConnRequired):
		way = "the server wants TLS: set nats.tls.ca, or write tls:// in nats.url"
	case errors.Is(err, nats.ErrSecureConnWanted):
		way = "the server has no TLS: remove nats.tls and tls:// from nats.url, or switch TLS on there"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		way = "see that the file is there and that this process may read it; it is read at every attempt"
	default:
		return err
	}
	return fmt.Errorf("%w; %s", err, way)
}

// isAuth recognises the server's ways of refusing who we are.
func isAuth(err error) bool {
	for _, one := range []error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired} {
		if errors.Is(err, one) {
			return true
		}
	}
	return strings.Contains(strings.ToLower(err.Error()), "authorization violation")
}

// identity names the setting that says who we are.
func identity(o Options) string {
	switch {
	case o.CredentialsFile != "":
		return "the credentials in " + o.CredentialsFile
	case o.NKeySeedFile != "":
		return "the nkey in " + o.NKeySeedFile
	case o.User != "":
		return fmt.Sprintf("user %q or its password", o.User)
	case !o.Token.Empty():
		return "the token"
	case o.Cert != "":
		return "the certificate in " + o.Cert
	}
	return "a client that does not say who it is (set nats.credentialsFile, nats.nkeySeedFile, nats.user or nats.token)"
}
