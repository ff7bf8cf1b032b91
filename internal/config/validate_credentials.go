package config

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

// credentials checks an account's credentials and makes its keyring: from the
// file, or else from the vendor's variables, or else from its profile.
func (v *validator) credentials(account *Account, path string) {
	at := path + ".credentials"
	known := credentialNames(account.facts)
	given := map[string]field{}
	for _, part := range account.Credentials.fields() {
		switch {
		case !part.source.set:
		case !slices.Contains(known, part.name):
			v.atKey(at+"."+part.name, "%s does not take it; it takes %s", account.Vendor, listAnd(known))
		default:
			given[part.name] = part
		}
	}
	if v.isBad(at) {
		return
	}
	ring := v.ring(account, at, given)
	if ring == nil {
		return
	}
	if _, err := ring.get(); err != nil {
		v.at(at, "%s", err)
		return
	}
	account.Credentials.current = ring.get
}

// credentialNames are the fields that the vendor takes: key, secret, and the
// names of the session token.
func credentialNames(facts vendors.Facts) []string {
	names := []string{cmp.Or(facts.KeyField, "accessKey"), cmp.Or(facts.SecretField, "secretKey"), "sessionToken"}
	if names[0] == "secretId" {
		names = append(names, "token")
	}
	return names
}

func (v *validator) ring(account *Account, at string, given map[string]field) *keyring {
	names := credentialNames(account.facts)
	key, secretKey := given[names[0]], given[names[1]]
	session, token := given["sessionToken"], given["token"]
	if session.source.set && token.source.set {
		v.at(at+".token", "and sessionToken are the same; remove one")
		return nil
	}
	if token.source.set {
		session = token
	}
	switch {
	case key.source.set != secretKey.source.set:
		v.together(at, names[0], names[1], key.source.set, secretKey.source.set)
		return nil
	case session.source.set && !key.source.set:
		v.at(at+"."+session.name, "is given alone; give %s and %s too", names[0], names[1])
		return nil
	case key.source.set:
		for _, part := range []field{key, secretKey} {
			if part.source.empty {
				v.at(at+"."+part.name, "%s comes out empty; fill it in", part.source.parsed.references[0])
				return nil
			}
		}
		return configured(account.Name, key, secretKey, session, v.files)
	}
	return v.chain(account, at, names)
}

// chain looks where the vendor's own SDK would look.
func (v *validator) chain(account *Account, at string, names []string) *keyring {
	variables := account.facts.Environment
	var texts [3]secret.Text
	for i, name := range variables {
		if name != "" {
			value, _ := v.opts.Env(name)
			texts[i] = secret.New(value)
		}
	}
	switch {
	case !texts[0].Empty() && !texts[1].Empty():
		key, err := resolved(variables[0], variables[1], texts)
		if err != nil {
			v.at(at, "environment variable %s", err)
			return nil
		}
		return &keyring{owner: account.Name, last: key}
	case !texts[0].Empty():
		v.at(at, "environment variable %s is set without %s; set both", variables[0], variables[1])
		return nil
	case !texts[1].Empty():
		v.at(at, "environment variable %s is set without %s; set both", variables[1], variables[0])
		return nil
	}
	return v.fromProfile(account, at, names)
}

// fromProfile reads the vendor's profile file, the last place to look.
func (v *validator) fromProfile(account *Account, at string, names []string) *keyring {
	variables := account.facts.Environment
	file, known := profiles[account.Vendor]
	path := ""
	if known {
		path = file.locate(v.opts.Env)
	}
	if path != "" {
		if _, err := v.files.read(path); !errors.Is(err, fs.ErrNotExist) {
			return file.keyring(account.Name, path, v.opts.Env, v.files)
		}
	}
	ways := []string{names[0] + " and " + names[1] + " here"}
	if variables[0] != "" {
		ways = append(ways, "the environment variables "+variables[0]+" and "+variables[1])
	}
	if known {
		ways = append(ways, "the profile "+cmp.Or(path, "~/"+file.path))
	}
	v.at(at, "no credentials are found; give %s", orList(ways))
	return nil
}

// listAnd is "a, b and c".
func listAnd(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
