package config

import (
	"cmp"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// namePattern of accounts, publishers and routes: they become part of subjects,
// paths and metrics.
var accountPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

const accountRule = "use 1 to 32 of a-z, 0-9 and -, starting with a letter or digit"

// validator checks a decoded configuration and resolves what depends on other
// parts of it.
type validator struct {
	*problems
	cfg      *Config
	opts     Options
	files    files
	warnings []string
}

func (v *validator) all() {
	v.durations(reflect.ValueOf(v.cfg).Elem(), "")
	v.nats()
	v.embedded()
	v.listener("http.listen", v.cfg.HTTP.Listen)
	v.oneOf("log.level", v.cfg.Log.Level, []string{"debug", "info", "warn", "error"})
	v.oneOf("log.format", v.cfg.Log.Format, []string{"text", "json"})
	if v.cfg.Lease.TTL < 2*time.Second {
		v.at("lease.ttl", "%s is too short; a lease lasts 2s or more", v.cfg.Lease.TTL)
	}
	v.accounts()
	v.intake()
	v.namedFiles()
	v.retention()
}

// durations checks that every duration is above zero.
func (v *validator) durations(value reflect.Value, path string) {
	switch {
	case value.Type() == durationType:
		if duration := time.Duration(value.Int()); duration <= 0 {
			v.at(path, "%s is not above zero; give a duration such as 10s", duration)
		}
	case isScalar(value.Type()):
	case value.Kind() == reflect.Struct:
		for _, field := range fields(value.Type()) {
			v.durations(value.FieldByIndex(field.Index), join(path, field.Tag.Get("yaml")))
		}
	case value.Kind() == reflect.Slice:
		for i := range value.Len() {
			v.durations(value.Index(i), path+"["+strconv.Itoa(i)+"]")
		}
	}
}

// between checks a whole number against its bounds.
func (v *validator) between(path string, number, low, high int) {
	if number < low || number > high {
		v.at(path, "%d is out of range; use %d to %d", number, low, high)
	}
}

func (v *validator) oneOf(path, value string, known []string) {
	if !slices.Contains(known, value) {
		v.at(path, "%s is not known; use %s%s", quoteShort(value), orList(known), suggestion(value, known))
	}
}

// listener checks an address to listen on.
func (v *validator) listener(path, address string) {
	host, port, err := net.SplitHostPort(address)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || strings.ContainsAny(host, " /@") || number > 65535 {
		v.at(path, "%s is not an address to listen on; write host:port, such as 127.0.0.1:8080 or :8080", quoteShort(address))
	}
}

// together checks that two settings are given both or not at all.
func (v *validator) together(path, first, second string, firstSet, secondSet bool) {
	switch {
	case firstSet && !secondSet:
		v.at(path+"."+second, "is missing; %s needs it", first)
	case secondSet && !firstSet:
		v.at(path+"."+first, "is missing; %s needs it", second)
	}
}

// namedFiles warns of files that are not there: they may come later, and an
// offline check may run on another machine.
func (v *validator) namedFiles() {
	if v.files.stat == nil {
		return
	}
	c := v.cfg
	for _, named := range []struct{ path, file string }{
		{"nats.credentialsFile", c.NATS.CredentialsFile}, {"nats.nkeySeedFile", c.NATS.NKeySeedFile},
		{"nats.tls.ca", c.NATS.TLS.CA}, {"nats.tls.cert", c.NATS.TLS.Cert}, {"nats.tls.key", c.NATS.TLS.Key},
		{"secrets.xkeySeedFile", c.Secrets.XKeySeedFile},
		{"intake.tls.cert", c.Intake.TLS.Cert}, {"intake.tls.key", c.Intake.TLS.Key}, {"intake.tls.clientCA", c.Intake.TLS.ClientCA},
	} {
		if named.file == "" {
			continue
		}
		if _, err := v.files.stat(named.file); err != nil {
			v.warn("%s: file %s cannot be found here (%s)", named.path, named.file, cause(err))
		}
	}
}

// retention warns where a token would be forgotten while its command may start.
func (v *validator) retention() {
	for _, account := range v.cfg.Accounts {
		longest := max(account.Expiry.Urgent, account.Expiry.Normal, account.Expiry.Bulk)
		if longest > v.cfg.Ledger.Retention {
			v.warn("ledger.retention %s is shorter than an expiry of account %s (%s): a token may be forgotten while its command can still start",
				v.cfg.Ledger.Retention, account.Name, longest)
		}
	}
}

// orList is "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return cmp.Or(strings.Join(words, ""), "nothing")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
