// Package tencentcrs speaks the legacy API of Tencent Cloud for Redis, then named
// CRS (API 2.0, "v2"), for one account in one region. The vendor keeps it frozen
// and points to API 3.0. The package is not a general client: it knows the calls
// that flush and restore need, sends each exactly once, and says what the answer
// proves.
package tencentcrs

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/unlisted"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	// path is what the API adds to its host.
	path = "/v2/index.php"
	// maxConns bounds the connections of an account whose transport is our own.
	maxConns = 32
)

// Client is one account in one region.
type Client struct {
	account   vendors.Account
	base      *url.URL
	transport http.RoundTripper
	// unlisted is our own accepted work of which the list of tasks knows nothing yet.
	unlisted unlisted.Work
}

var _ vendors.Vendor = (*Client)(nil)

// New makes the adapter of an account.
func New(a vendors.Account) (*Client, error) {
	base, err := url.Parse(a.Endpoint)
	switch {
	case err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, fmt.Errorf("tencent-crs endpoint %q is no base URL: it needs scheme and host, such as https://redis.api.qcloud.com", a.Endpoint)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("tencent-crs endpoint may have scheme, host, port and path only: remove user, query and fragment")
	case a.Region == "":
		return nil, errors.New("tencent-crs account has no region: it is part of every signature")
	case a.Credentials == nil:
		return nil, errors.New("tencent-crs account has no source of credentials")
	case a.Timeout <= 0:
		return nil, fmt.Errorf("tencent-crs timeout is %v: a call needs a time above zero", a.Timeout)
	}
	c := &Client{account: a, base: base, transport: a.Transport}
	if c.transport == nil {
		c.transport = wire.Transport(maxConns)
	}
	return c, nil
}

// endpoint is the URL of every action: the action is named in the body.
func (c *Client) endpoint() string {
	u := *c.base
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+path, ""
	return u.String()
}

// host is the host as it is signed and sent, with its port if it has one.
func (c *Client) host() string { return strings.TrimSuffix(c.base.Host, ":") }
