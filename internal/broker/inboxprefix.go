package broker

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// inboxPrefix is where answers arrive. Each user has a place of its own below
// _INBOX, so that a server can allow a user its own answers and nobody else's; a
// server that allows _INBOX.> allows that too.
func inboxPrefix(o Options) string {
	prefix := strings.TrimSuffix(nats.InboxPrefix, ".")
	if who := subjectToken(userName(o)); who != "" {
		prefix += "." + who
	}
	return prefix
}

// userName is how the server's configuration calls us: the user, the name in the
// credentials, the public nkey, or the common name of the certificate. It is empty if
// there is none or a file cannot be read, which connecting reports.
func userName(o Options) string {
	switch {
	case o.Server != nil:
		return ""
	case o.CredentialsFile != "":
		return nameInCredentials(o.CredentialsFile)
	case o.NKeySeedFile != "":
		return publicKey(o.NKeySeedFile)
	case o.User != "":
		return o.User
	case !o.Token.Empty():
		return ""
	}
	return commonName(o.Cert)
}

// nameInCredentials reads the user's name from the JWT in a credentials file, whose
// signature is the server's business.
func nameInCredentials(file string) string {
	contents, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	token, err := nkeys.ParseDecoratedJWT(contents)
	if err != nil {
		return ""
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct{ Name, Sub string }
	if json.Unmarshal(raw, &claims) != nil {
		return ""
	}
	if claims.Name == "" {
		return claims.Sub
	}
	return claims.Name
}

func publicKey(file string) string {
	contents, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	pair, err := nkeys.ParseDecoratedNKey(contents)
	if err != nil {
		return ""
	}
	defer pair.Wipe()
	public, err := pair.PublicKey()
	if err != nil {
		return ""
	}
	return public
}

func commonName(file string) string {
	contents, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	block, _ := pem.Decode(contents)
	if block == nil {
		return ""
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return ""
	}
	return certificate.Subject.CommonName
}

// subjectToken makes one token of a subject: what is no letter, digit, - or _ becomes
// an underscore.
func subjectToken(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name)
}
