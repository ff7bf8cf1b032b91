package wire

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Transport makes a transport of its own for one account, so that a vendor that
// hangs uses up nobody else's connections. conns bounds its connections.
func Transport(conns int) *http.Transport {
	d := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &countedConn{Conn: c}, nil
		},
		TLSHandshakeTimeout: 5 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		// An empty map keeps HTTP/2 off: its transport may send a request again.
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxIdleConnsPerHost: conns,
		MaxConnsPerHost:     conns,
		// A connection the vendor closes while it idles turns the next mutation
		// into an unknown outcome; front ends keep idle connections longer than this.
		IdleConnTimeout:        4 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}
