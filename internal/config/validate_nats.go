package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-7b870224/sluice/internal/secret"
)

var (
	prefixPattern = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	natsSchemes   = []string{"nats", "tls", "ws", "wss"}
)

func (v *validator) warn(format string, args ...any) {
	v.warnings = append(v.warnings, fmt.Sprintf(format, args...))
}

func (v *validator) nats() {
	nats := &v.cfg.NATS
	v.servers(nats)
	v.together("nats", "user", "password", nats.User != "", !nats.Password.Empty())
	v.together("nats.tls", "cert", "key", nats.TLS.Cert != "", nats.TLS.Key != "")
	var ways []string
	for _, way := range []struct {
		name string
		used bool
	}{
		{"credentialsFile", nats.CredentialsFile != ""}, {"nkeySeedFile", nats.NKeySeedFile != ""},
		{"user", nats.User != ""}, {"token", !nats.Token.Empty()},
	} {
		if way.used {
			ways = append(ways, way.name)
		}
	}
	if len(ways) > 1 {
		v.at("nats."+ways[1], "%s are given, but only one can be used; remove the others", strings.Join(ways, " and "))
	}
	if !prefixPattern.MatchString(nats.Prefix) {
		v.at("nats.prefix", "%s cannot begin a subject; use 1 to 32 of a-z, 0-9, _ and -", quoteShort(nats.Prefix))
	}
	v.between("nats.replicas", nats.Replicas, 1, 5)
	if nats.UsesEmbedded() && nats.Replicas > 1 {
		v.at("nats.replicas", "%d need a cluster, and the embedded server is one; set nats.url, or 1", nats.Replicas)
	}
}

// embedded checks the settings of the embedded server.
func (v *validator) embedded() {
	embedded := v.cfg.NATS.Embedded
	v.listener("nats.embedded.listen", embedded.Listen)
	if embedded.StoreDir == "" {
		v.at("nats.embedded.storeDir", "is empty; name a directory such as ./sluice-data")
	}
	if v.cfg.NATS.UsesEmbedded() && !loopback(hostOf(embedded.Listen)) {
		v.warn("nats.embedded.listen %s is not a loopback address: whoever reaches it may reach the embedded server", embedded.Listen)
	}
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// servers checks the list of servers and moves user and password out of it, so
// that the rest can be printed. Errors never show the list for the same reason.
func (v *validator) servers(nats *NATS) {
	if strings.TrimSpace(nats.URL) == "" {
		nats.URL = ""
		return
	}
	var login *url.Userinfo
	servers := nats.Servers()
	for i, server := range servers {
		clean, found, problem := splitServer(server)
		if problem != "" {
			v.hide(nats, "server %d of the list %s", i+1, problem)
			return
		}
		if found != nil && login != nil && found.String() != login.String() {
			v.hide(nats, "the servers have different users; use one for all, in nats.user and nats.password")
			return
		}
		if found != nil {
			login = found
		}
		servers[i] = clean
	}
	if len(servers) == 0 {
		v.hide(nats, "names no server; write nats://host:4222, or leave it out for the embedded server")
		return
	}
	nats.URL = strings.Join(servers, ",")
	if login != nil {
		v.login(nats, login)
	}
}

// hide reports a mistake in the list of servers, which it forgets.
func (v *validator) hide(nats *NATS, format string, args ...any) {
	nats.URL = "nats://invalid"
	v.at("nats.url", format, args...)
}

// login takes over what stood in a URL: user and password, or a token alone, as
// NATS clients read it.
func (v *validator) login(nats *NATS, login *url.Userinfo) {
	if nats.User != "" || !nats.Password.Empty() || !nats.Token.Empty() {
		v.at("nats.url", "holds a user or token, and so does the rest of nats; keep one of them")
		return
	}
	if password, both := login.Password(); both {
		nats.User, nats.Password = login.Username(), secret.New(password)
		return
	}
	nats.Token = secret.New(login.Username())
}

// splitServer takes one server apart; problem says what is wrong with it.
func splitServer(server string) (clean string, login *url.Userinfo, problem string) {
	full := server
	if !strings.Contains(server, "://") {
		full = "nats://" + server
	}
	parsed, err := url.Parse(full)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.RawQuery != "" || parsed.Fragment != "":
		return "", nil, "is not an address; write nats://host:4222"
	case !slices.Contains(natsSchemes, parsed.Scheme):
		return "", nil, "has an unknown scheme; use nats, tls, ws or wss"
	case !validPort(parsed.Port()):
		return "", nil, "has a port out of range; use 1 to 65535"
	}
	if parsed.User == nil {
		return server, nil, ""
	}
	login, parsed.User = parsed.User, nil
	return parsed.String(), login, ""
}

// validPort accepts no port, or one that can be connected to.
func validPort(port string) bool {
	number, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && number > 0
}

// loopback reports that a host is this machine and nothing else.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
