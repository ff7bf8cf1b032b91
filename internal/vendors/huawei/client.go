// Package huawei speaks the REST API v2 of Huawei Cloud Distributed Cache Service
// for one account in one project. It is not a general client: it knows the calls
// that restart, flush and restore need, sends each exactly once, and says what
// the answer proves.
package huawei

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/turns"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

// maxConns bounds the connections of an account whose transport is our own.
const maxConns = 32

// Client is one account in one region's project.
type Client struct {
	account   vendors.Account
	base      *url.URL
	transport http.RoundTripper
	// shows and records share out the look-ups of single instances and of restore
	// records that one poll may make.
	shows, records turns.Turns
}

var (
	_ vendors.Surveyor  = (*Client)(nil)
	_ vendors.Coalescer = (*Client)(nil)
)

// New makes the adapter of an account.
func New(a vendors.Account) (*Client, error) {
	base, err := url.Parse(a.Endpoint)
	switch {
	case err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, fmt.Errorf("huawei endpoint %q is no base URL: it needs scheme and host, such as https://dcs.cn-north-4.myhuaweicloud.com", a.Endpoint)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("huawei endpoint may have scheme, host, port and path only: remove user, query and fragment")
	case !wellFormed(a.Project):
		return nil, fmt.Errorf("huawei project %q is no project id: configure the id of the region's project, 32 hexadecimal digits", a.Project)
	case a.Credentials == nil:
		return nil, errors.New("huawei account has no source of credentials")
	case a.Timeout <= 0:
		return nil, fmt.Errorf("huawei timeout is %v: a call needs a time above zero", a.Timeout)
	}
	c := &Client{account: a, base: base, transport: a.Transport}
	if c.transport == nil {
		c.transport = wire.Transport(maxConns)
	}
	return c, nil
}

// endpoint is the URL of a path below the project.
func (c *Client) endpoint(path string, query url.Values) string {
	u := *c.base
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+"/v2/"+c.account.Project+path, ""
	u.RawQuery = query.Encode()
	return u.String()
}

// wellFormed reports whether an id can stand in a path as it is. Others, such as
// one with a slash, would name another resource.
func wellFormed(id string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return id != "" && strings.Trim(id, allowed) == ""
}

// malformed answers for an id that cannot be that of an instance.
func malformed(id string) vendors.Verdict {
	return noInstance.verdict(fmt.Sprintf("%q is not the id of a DCS instance", id))
}
