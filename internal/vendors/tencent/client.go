// Package tencent speaks API 3.0 of Tencent Cloud for TencentDB for Redis
// (product redis, version 2018-04-12) for one account in one region. It is not a
// general client: it knows the calls that flush and restore need, sends each
// exactly once, and says what the answer proves.
package tencent

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/turns"
	"github.com/seed-7b870224/sluice/internal/vendors/unlisted"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	version = "2018-04-12"
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
	// infos shares out the look-ups of single tasks that one poll may make.
	infos turns.Turns
}

var _ vendors.Surveyor = (*Client)(nil)

// New makes the adapter of an account.
func New(a vendors.Account) (*Client, error) {
	base, err := url.Parse(a.Endpoint)
	switch {
	case err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, fmt.Errorf("tencent endpoint %q is no base URL: it needs scheme and host, such as https://redis.ap-guangzhou.tencentcloudapi.com", a.Endpoint)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("tencent endpoint may have scheme, host, port and path only: remove user, query and fragment")
	case a.Region == "":
		return nil, errors.New("tencent account has no region: every call names one")
	case a.Credentials == nil:
		return nil, errors.New("tencent account has no source of credentials")
	case a.Timeout <= 0:
		return nil, fmt.Errorf("tencent timeout is %v: a call needs a time above zero", a.Timeout)
	}
	c := &Client{account: a, base: base, transport: a.Transport}
	if c.transport == nil {
		c.transport = wire.Transport(maxConns)
	}
	return c, nil
}

// endpoint is the URL of every action: the action is named in a header.
func (c *Client) endpoint() string {
	u := *c.base
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+"/", ""
	return u.String()
}

// host is the host as it is signed and sent. It is lower-case, since the
// documentation signs it so and the vendor's SDK as it stands.
func (c *Client) host() string {
	return strings.ToLower(strings.TrimSuffix(c.base.Host, ":"))
}
