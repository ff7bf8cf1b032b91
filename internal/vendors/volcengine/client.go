// Package volcengine speaks the OpenAPI of Volcengine Cache for Redis (service
// redis, version 2020-12-07) for one account in one region. It is not a general
// client: it knows the calls that restart, flush and restore need, sends each
// exactly once, and says what the answer proves.
package volcengine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/turns"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	version = "2020-12-07"
	// maxConns bounds the connections of an account whose transport is our own.
	maxConns = 32
)

// Client is one account in one region.
type Client struct {
	account   vendors.Account
	base      *url.URL
	transport http.RoundTripper
	key       signingKey
	spelled   sync.Map // actions to requests without header and body, as they are signed
	// details shares out the look-ups of single instances that one poll may make.
	details turns.Turns
}

var _ vendors.Surveyor = (*Client)(nil)

// New makes the adapter of an account.
func New(a vendors.Account) (*Client, error) {
	base, err := url.Parse(a.Endpoint)
	switch {
	case err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, fmt.Errorf("volcengine endpoint %q is no base URL: it needs scheme and host, such as https://redis.cn-beijing.volcengineapi.com", a.Endpoint)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("volcengine endpoint may have scheme, host, port and path only: remove user, query and fragment")
	case a.Region == "":
		return nil, errors.New("volcengine account has no region: it is part of every signature")
	case a.Credentials == nil:
		return nil, errors.New("volcengine account has no source of credentials")
	case a.Timeout <= 0:
		return nil, fmt.Errorf("volcengine timeout is %v: a call needs a time above zero", a.Timeout)
	}
	c := &Client{account: a, base: base, transport: a.Transport}
	if c.transport == nil {
		c.transport = wire.Transport(maxConns)
	}
	return c, nil
}

// endpoint is the URL of an action.
func (c *Client) endpoint(action string) string {
	u := *c.base
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+"/", ""
	u.RawQuery = url.Values{"Action": {action}, "Version": {version}}.Encode()
	return u.String()
}

// request is a request to be signed. All of one action are spelled alike.
func (c *Client) request(action string, body []byte) *http.Request {
	spelled, ok := c.spelled.Load(action)
	if !ok {
		// The endpoint was parsed before, and the method is a constant.
		req, _ := http.NewRequest(http.MethodPost, c.endpoint(action), http.NoBody)
		spell(req)
		spelled, _ = c.spelled.LoadOrStore(action, req)
	}
	req := *spelled.(*http.Request)
	target := *req.URL
	req.URL = &target
	req.Header = http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Accept": {"application/json"}, "User-Agent": {"sluice"}}
	req.Body, req.GetBody, req.ContentLength = io.NopCloser(bytes.NewReader(body)), nil, int64(len(body))
	return &req
}
