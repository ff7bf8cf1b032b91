package broker

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// connectTimeout bounds the making of a connection.
const connectTimeout = 3 * time.Second

// natsOptions translates Options. Reconnecting never ends, not even on refused
// credentials: those get repaired while the process waits.
func (c *Conn) natsOptions() ([]nats.Option, error) {
	if err := checkURL(c.opts); err != nil {
		return nil, err
	}
	opts := []nats.Option{
		nats.Name(c.opts.Name),
		nats.CustomInboxPrefix(inboxPrefix(c.opts)),
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 500*time.Millisecond),
		// A write while disconnected fails at once: buffered, it would reach the
		// server after its caller has given it up.
		nats.ReconnectBufSize(-1),
		nats.Timeout(connectTimeout),
		nats.SetCustomDialer(gatheringDialer{net.Dialer{Timeout: connectTimeout}}),
		nats.PingInterval(3 * time.Second),
		nats.MaxPingsOutstanding(1),
		nats.FlusherTimeout(writeTimeout),
		nats.ReconnectOnFlusherError(),
		nats.DrainTimeout(5 * time.Second),
		nats.ConnectHandler(func(nc *nats.Conn) { c.onConnected(nc, false) }),
		nats.ReconnectHandler(func(nc *nats.Conn) { c.onConnected(nc, true) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.onDisconnected(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { c.onFailedAttempt(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) { c.onError(sub, err) }),
	}
	if c.opts.Server != nil {
		opts = append(opts, nats.InProcessServer(c.opts.Server.InProcess()))
	}
	opts, err := appendIdentity(opts, c.opts)
	if err != nil {
		return nil, err
	}
	return appendTLS(opts, c.opts), nil
}

// checkURL finds what the client library would report with the URL in full, which
// may hold a password.
func checkURL(o Options) error {
	if o.Server != nil {
		return nil
	}
	if strings.TrimSpace(o.URL) == "" {
		return errors.New("no server URL given")
	}
	for i, one := range strings.Split(o.URL, ",") {
		if host(one) == "" {
			return fmt.Errorf("server URL %d of the list is not a URL; want nats://host:port", i+1)
		}
	}
	return nil
}

// host is the host and port of one server, empty if it is not a URL.
func host(server string) string {
	server = strings.TrimSpace(server)
	if !strings.Contains(server, "://") {
		server = "nats://" + server
	}
	u, err := url.Parse(server)
	if err != nil {
		return ""
	}
	return u.Host
}

// hosts are the servers to connect to, for messages: without user and password.
func hosts(o Options) string {
	if o.Server != nil {
		return "the embedded server"
	}
	var out []string
	for one := range strings.SplitSeq(o.URL, ",") {
		out = append(out, host(one))
	}
	return strings.Join(out, ",")
}

func appendIdentity(opts []nats.Option, o Options) ([]nats.Option, error) {
	switch {
	case o.CredentialsFile != "":
		return append(opts, nats.UserCredentials(o.CredentialsFile)), nil
	case o.NKeySeedFile != "":
		key, err := nats.NkeyOptionFromSeed(o.NKeySeedFile)
		if err != nil {
			return nil, fmt.Errorf("nkey seed file %s: %w", o.NKeySeedFile, err)
		}
		return append(opts, key), nil
	case o.User != "":
		return append(opts, nats.UserInfo(o.User, o.Password.Reveal())), nil
	case !o.Token.Empty():
		return append(opts, nats.Token(o.Token.Reveal())), nil
	}
	return opts, nil
}

func appendTLS(opts []nats.Option, o Options) []nats.Option {
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA))
	}
	if o.Cert != "" || o.Key != "" {
		opts = append(opts, nats.ClientCert(o.Cert, o.Key))
	}
	return opts
}
