package volcengine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

const (
	id          = "redis-cn0212gzmh2xsabcd"
	markedKey   = "marked-secret-key/+="
	markedToken = "marked-session-token/+="
)

// reply is one recorded answer. A status of 0 hangs up instead.
type reply struct {
	status int
	header map[string]string
	body   string
}

// received is one request as the server saw it.
type received struct {
	action string
	header http.Header
	host   string
	path   string
	body   map[string]any
}

// cloud is a server that answers each action with its replies in turn, the last
// one for ever.
type cloud struct {
	t       *testing.T
	url     string
	mu      sync.Mutex
	replies map[string][]reply
	calls   []received
}

func newCloud(t *testing.T, replies map[string][]reply) *cloud {
	t.Helper()
	c := &cloud{t: t, replies: replies}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	got := received{action: r.URL.Query().Get("Action"), header: r.Header, host: r.Host, path: r.URL.Path}
	if err := json.Unmarshal(raw, &got.body); err != nil || r.Method != "POST" || r.URL.Query().Get("Version") != "2020-12-07" {
		c.t.Errorf("bad request %s %s with body %q", r.Method, r.URL, raw)
	}
	c.calls = append(c.calls, got)
	queue := c.replies[got.action]
	if len(queue) == 0 {
		c.t.Errorf("unexpected call of %s", got.action)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	next := queue[0]
	if len(queue) > 1 {
		c.replies[got.action] = queue[1:]
	}
	if next.status == 0 {
		panic(http.ErrAbortHandler)
	}
	for k, v := range next.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

// actions lists the calls made so far.
func (c *cloud) actions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, r := range c.calls {
		out = append(out, r.action)
	}
	return out
}

func (c *cloud) wantActions(t *testing.T, want ...string) {
	t.Helper()
	if got := c.actions(); !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

func account(url string) vendors.Account {
	return vendors.Account{
		Region:   "cn-beijing",
		Endpoint: url,
		Credentials: func(context.Context) (vendors.Credentials, error) {
			return vendors.Credentials{AccessKey: "AK", SecretKey: secret.New(markedKey), SessionToken: secret.New(markedToken)}, nil
		},
		Timeout:   20 * time.Second,
		Transport: wire.Transport(4),
	}
}

func client(t *testing.T, a vendors.Account) *Client {
	t.Helper()
	c, err := New(a)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ok is a success of an action with a result.
func ok(action, result string) reply {
	return reply{status: 200, body: fmt.Sprintf(`{"ResponseMetadata":{"RequestId":"req-1","Action":%q,"Version":"2020-12-07","Service":"Redis","Region":"cn-beijing"},"Result":%s}`, action, result)}
}

// fault is a failure with the vendor's code.
func fault(status int, code string) reply {
	return reply{status: status, body: fmt.Sprintf(`{"ResponseMetadata":{"RequestId":"req-2","Action":"x","Error":{"CodeN":1,"Code":%q,"Message":"the vendor's words"}}}`, code)}
}

// described is an answer of DescribeDBInstanceDetail.
func described(status string) reply {
	return ok(actionDetail, fmt.Sprintf(`{"InstanceId":%q,"Status":%q,"InstanceClass":"PrimarySecondary","ShardCapacity":1024.5,"New":{"a":[1]}}`, id, status))
}

func committed(context.Context, time.Time) error { return nil }

func wantVerdict(t *testing.T, v vendors.Verdict, kind vendors.Kind, reason string) {
	t.Helper()
	if v.Kind != kind || v.Reason != reason {
		t.Errorf("verdict %v %q (%s), want %v %q", v.Kind, v.Reason, v.Message, kind, reason)
	}
	if kind != vendors.Done && kind != vendors.Accepted && v.Message == "" {
		t.Errorf("verdict %v has no message", v.Kind)
	}
	if all := fmt.Sprintf("%+v", v); strings.Contains(all, "marked-") {
		t.Errorf("a secret shows in the verdict %s", all)
	}
}
