package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	id          = "2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef"
	project     = "0123456789abcdef0123456789abcdef"
	markedKey   = "marked-secret-key/+="
	markedToken = "marked-session-token/+="

	putStatus    = "PUT /instances/status"
	postRestore  = "POST /instances/" + id + "/restores"
	getRestores  = "GET /instances/" + id + "/restores"
	getBackups   = "GET /instances/" + id + "/backups"
	getInstance  = "GET /instances/" + id
	getInstances = "GET /instances"
)

// reply is one recorded answer. A status of 0 hangs up instead.
type reply struct {
	status int
	header map[string]string
	body   string
}

// received is one request as the server saw it.
type received struct {
	call   string
	query  url.Values
	header http.Header
	host   string
	body   map[string]any
}

// cloud is a server that answers each call with its replies in turn, the last
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
	c.url = s.URL + "/prefix"
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	path, below := strings.CutPrefix(r.URL.Path, "/prefix/v2/"+project)
	got := received{call: r.Method + " " + path, query: r.URL.Query(), header: r.Header, host: r.Host}
	if !below || r.Method == "GET" && len(raw) > 0 || r.Method != "GET" && json.Unmarshal(raw, &got.body) != nil {
		c.t.Errorf("bad request %s %s with body %q", r.Method, r.URL, raw)
	}
	c.calls = append(c.calls, got)
	queue := c.replies[got.call]
	if len(queue) == 0 {
		c.t.Errorf("unexpected call %s", got.call)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	next := queue[0]
	if len(queue) > 1 {
		c.replies[got.call] = queue[1:]
	}
	if next.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Request-Id", "req-1")
	for k, v := range next.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

func (c *cloud) wantCalls(t *testing.T, want ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []string
	for _, r := range c.calls {
		got = append(got, r.call)
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

func account(url string) vendors.Account {
	return vendors.Account{
		Region:   "cn-north-4",
		Project:  project,
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

func ok(body string) reply { return reply{status: 200, body: body} }

func fault(status int, code string) reply {
	return reply{status: status, body: fmt.Sprintf(`{"error_code":%q,"error_msg":"the vendor's words","error_ext_msg":null}`, code)}
}

// shown is an answer of ShowInstance; more adds fields.
func shown(status, more string) reply {
	return ok(fmt.Sprintf(`{"instance_id":%q,"status":%q,"engine":"Redis","port":6379,"new":{"a":[1]}%s}`, id, status, more))
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
