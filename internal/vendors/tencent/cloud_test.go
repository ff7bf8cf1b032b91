package tencent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	testID     = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	testKey    = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
	testToken  = "session-token-of-a-temporary-key"
	testRegion = "ap-guangzhou"
	long       = 30 * time.Second
)

// heard is a request as the cloud received it.
type heard struct {
	action, host, path string
	header             http.Header
	raw                []byte
	body               map[string]any
}

// cloud answers each action from a script; the last answer repeats.
type cloud struct {
	url string

	mu     sync.Mutex
	script map[string][]string
	heard  []heard
	// steps is what the account's hooks and the server saw, in order.
	steps []string
}

// newCloud starts a cloud. An answer is a body, or "STATUS body".
func newCloud(t *testing.T, script map[string][]string) *cloud {
	t.Helper()
	c := &cloud{script: script}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

// ServeHTTP plays the script.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	h := heard{action: r.Header.Get("X-TC-Action"), host: r.Host, path: r.URL.Path, header: r.Header.Clone(), raw: raw}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	_ = d.Decode(&h.body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, h)
	c.steps = append(c.steps, "call "+h.action)
	answers := c.script[h.action]
	if len(answers) == 0 {
		http.Error(w, "no script for "+h.action, http.StatusNotImplemented)
		return
	}
	if len(answers) > 1 {
		c.script[h.action] = answers[1:]
	}
	status, body := http.StatusOK, answers[0]
	if n, rest, ok := strings.Cut(body, " "); ok && len(n) == 3 {
		if _, err := fmt.Sscan(n, &status); err == nil {
			body = rest
		}
	}
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (c *cloud) requests(action string) []heard {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []heard
	for _, h := range c.heard {
		if action == "" || h.action == action {
			list = append(list, h)
		}
	}
	return list
}

func (c *cloud) step(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps = append(c.steps, fmt.Sprintf(format, args...))
}

// account is an account at the cloud whose hooks write steps.
func (c *cloud) account() vendors.Account {
	return vendors.Account{
		Region:   testRegion,
		Endpoint: c.url,
		Credentials: func(context.Context) (vendors.Credentials, error) {
			return vendors.Credentials{AccessKey: testID, SecretKey: secret.New(testKey), SessionToken: secret.New(testToken)}, nil
		},
		Timeout: long,
		Permit: func(_ context.Context, action string) error {
			c.step("permit %s", action)
			return nil
		},
		Observe: func(action string, v vendors.Verdict, _ time.Duration) { c.step("observe %s %s", action, v.Kind) },
	}
}

func client(t *testing.T, a vendors.Account) *Client {
	t.Helper()
	if a.Transport == nil {
		rt := wire.Transport(4)
		t.Cleanup(rt.CloseIdleConnections)
		a.Transport = rt
	}
	c, err := New(a)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// accept is a commit that lets the call pass.
func accept(context.Context, time.Time) error { return nil }

// response wraps fields in the envelope of a success.
func response(fields string) string { return `{"Response":{` + fields + `,"RequestId":"req-1"}}` }

// fault is the envelope of a failure.
func fault(code, message string) string {
	return response(fmt.Sprintf(`"Error":{"Code":%q,"Message":%q}`, code, message))
}

const instanceID = "crs-5a4py64p"

// list wraps rows in one of the API's lists.
func list(name string, total int, rows ...string) string {
	return response(fmt.Sprintf(`"TotalCount":%d,%q:[%s]`, total, name, strings.Join(rows, ",")))
}

func instances(status string) string {
	return list("InstanceSet", 1, fmt.Sprintf(`{"InstanceId":%q,"InstanceName":"x","Status":%s}`, instanceID, status))
}

// row is a row of the list of tasks.
func row(id, kind, start, result string) string {
	return fmt.Sprintf(`{"TaskId":%s,"TaskType":%q,"InstanceId":%q,"StartTime":%q,"Result":%s,"Progress":1.0}`, id, kind, instanceID, start, result)
}

func tasks(rows ...string) string { return list("Tasks", len(rows), rows...) }

func flush() vendors.Request {
	return vendors.Request{Operation: vendors.Flush, InstanceID: instanceID, Password: secret.New("p4ss<word>&1")}
}

func restore() vendors.Request {
	return vendors.Request{Operation: vendors.Restore, InstanceID: instanceID, BackupID: "154572601-1165734321-153731245"}
}
