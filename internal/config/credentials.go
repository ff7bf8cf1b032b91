package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// Credentials are an account's access key. The fields are what the file says;
// [Credentials.Current] is the key itself.
type Credentials struct {
	AccessKey    Source `yaml:"accessKey" doc:"Access key of volcengine and huawei. Without any credentials the vendor's own environment variables and profile file are asked."`
	SecretID     Source `yaml:"secretId" doc:"The access key of tencent and tencent-crs, under its name there."`
	SecretKey    Source `yaml:"secretKey" doc:"The secret of the access key."`
	SessionToken Source `yaml:"sessionToken" doc:"Session token of a temporary access key."`
	Token        Source `yaml:"token" doc:"The same as sessionToken, for tencent and tencent-crs."`

	// current is a function, not the keyring itself: package fmt prints what a
	// pointer points to when the verb does not suit it, but never a function.
	current func() (Resolved, error)
}

// Resolved is an access key, or a temporary one with its session token.
type Resolved struct {
	Key     string
	Secret  secret.Text
	Session secret.Text
}

// Current is the key of the moment. Files that it comes from are looked at again
// at most once a second, and read again when they have changed. It is cheap
// enough to be asked before every call, and safe for concurrent use.
func (c Credentials) Current() (Resolved, error) {
	if c.current == nil {
		return Resolved{}, errors.New("reading credentials: none are configured; set them in the account")
	}
	return c.current()
}

// StaticCredentials are credentials that do not come from a file.
func StaticCredentials(key string, secretKey, session secret.Text) Credentials {
	ring := &keyring{last: Resolved{Key: key, Secret: secretKey, Session: session}}
	return Credentials{current: ring.get}
}

// Source is one field of credentials as the file has it: text, variables, and
// files that are read again. It does not print.
type Source struct {
	parsed interpolated
	// set: the field says something, even if it comes out empty.
	set   bool
	empty bool
}

func newSource(parsed interpolated, text secret.Text) Source {
	return Source{parsed: parsed, set: parsed.hasReferences() || !text.Empty(), empty: text.Empty()}
}

// String shows that there is something, not what.
func (s Source) String() string {
	if !s.set {
		return ""
	}
	return secret.Redacted
}

// GoString is String.
func (s Source) GoString() string { return s.String() }

// MarshalText is String.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// field is one of the credentials by its name in the file.
type field struct {
	name   string
	source Source
}

func (c Credentials) fields() []field {
	return []field{
		{"accessKey", c.AccessKey}, {"secretId", c.SecretID}, {"secretKey", c.SecretKey},
		{"sessionToken", c.SessionToken}, {"token", c.Token},
	}
}

// configured makes the keyring of credentials that the file holds.
func configured(account string, key, secretKey, session field, disk files) *keyring {
	ring := &keyring{owner: account, files: disk}
	for _, part := range []field{key, secretKey, session} {
		ring.paths = append(ring.paths, part.source.parsed.paths()...)
	}
	ring.load = func() (Resolved, error) {
		var texts [3]secret.Text
		for i, part := range []field{key, secretKey, session} {
			var err error
			if texts[i], err = part.source.parsed.read(disk); err != nil {
				return Resolved{}, fmt.Errorf("%s: %w", part.name, err)
			}
		}
		return resolved(key.name, secretKey.name, texts)
	}
	return ring
}

// resolved checks that a key is complete and can be sent.
func resolved(keyName, secretName string, texts [3]secret.Text) (Resolved, error) {
	for i, name := range []string{keyName, secretName} {
		if texts[i].Empty() {
			return Resolved{}, fmt.Errorf("%s is empty; write the key there", name)
		}
	}
	key := texts[0].Reveal()
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || r == 0x7f }) {
		return Resolved{}, fmt.Errorf("%s holds spaces or other characters that no access key has; write the key alone", keyName)
	}
	return Resolved{Key: key, Secret: texts[1], Session: texts[2]}, nil
}
