package tencent

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestNewChecksTheAccount(t *testing.T) {
	t.Parallel()
	good := (&cloud{url: "https://redis.ap-guangzhou.tencentcloudapi.com"}).account()
	cases := map[string]func(*vendors.Account){
		"":                      func(*vendors.Account) {},
		"needs scheme and host": func(a *vendors.Account) { a.Endpoint = "redis.tencentcloudapi.com" },
		"remove user":           func(a *vendors.Account) { a.Endpoint += "?a=b" },
		"no region":             func(a *vendors.Account) { a.Region = "" },
		"credentials":           func(a *vendors.Account) { a.Credentials = nil },
		"above zero":            func(a *vendors.Account) { a.Timeout = 0 },
	}
	for want, change := range cases {
		a := good
		change(&a)
		_, err := New(a)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string][2]string{
		"https://redis.ap-guangzhou.tencentcloudapi.com": {"https://redis.ap-guangzhou.tencentcloudapi.com/", "redis.ap-guangzhou.tencentcloudapi.com"},
		"http://127.0.0.1:8443/":                         {"http://127.0.0.1:8443/", "127.0.0.1:8443"},
		"http://LOCALHOST:80/some/prefix/":               {"http://LOCALHOST:80/some/prefix/", "localhost:80"},
		"http://[::1]:9/p":                               {"http://[::1]:9/p/", "[::1]:9"},
		"http://localhost:":                              {"http://localhost:/", "localhost"},
	} {
		c := client(t, (&cloud{url: endpoint}).account())
		if got := [2]string{c.endpoint(), c.host()}; got != want {
			t.Errorf("%s gave %v, want %v", endpoint, got, want)
		}
	}
}

// What is on the wire must be what was signed, also under a path and on a port.
func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{actionTask: {response(`"Status":"running"`)}})
	a := s.account()
	a.Endpoint += "/prefix"
	c := client(t, a)
	before := time.Now().Unix()
	c.Poll(t.Context(), []vendors.Task{{ID: "9007199254740993", InstanceID: instanceID}})
	got := s.requests("")
	if len(got) != 1 {
		t.Fatalf("%d requests", len(got))
	}
	h := got[0]
	if string(h.raw) != `{"TaskId":9007199254740993}` {
		t.Errorf("body %s", h.raw)
	}
	if h.path != "/prefix/" || "http://"+h.host != s.url {
		t.Errorf("path %s, host %s", h.path, h.host)
	}
	for name, want := range map[string]string{
		"X-TC-Action": "DescribeTaskInfo", "X-TC-Version": "2018-04-12", "X-TC-Region": testRegion,
		"X-TC-Token": testToken, "Content-Type": "application/json", "X-TC-Language": "en-US",
	} {
		if h.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.header.Get(name), want)
		}
	}
	var at int64
	if err := json.Unmarshal([]byte(h.header.Get("X-TC-Timestamp")), &at); err != nil || at < before || at > time.Now().Unix() {
		t.Errorf("timestamp %s", h.header.Get("X-TC-Timestamp"))
	}
	creds, _ := a.Credentials(t.Context())
	want := Message{Service: "redis", Method: "POST", Headers: map[string]string{"content-type": "application/json", "host": h.host},
		Body: h.raw, At: time.Unix(at, 0)}.Authorization(testID, creds.SecretKey)
	if h.header.Get("Authorization") != want {
		t.Errorf("authorization %s, want %s", h.header.Get("Authorization"), want)
	}
	if want := []string{"permit DescribeTaskInfo", "call DescribeTaskInfo", "observe DescribeTaskInfo done"}; !reflect.DeepEqual(s.steps, want) {
		t.Errorf("steps %q, want %q", s.steps, want)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	c := client(t, (&cloud{url: "http://127.0.0.1:1"}).account())
	cases := []struct {
		req  vendors.Request
		want vendors.Plan
	}{
		{flush(), vendors.Plan{Action: "ClearInstance", Endpoint: "POST http://127.0.0.1:1/",
			Request: map[string]any{"InstanceId": instanceID, "Password": "[redacted]"}}},
		{restore(), vendors.Plan{Action: "RestoreInstance", Endpoint: "POST http://127.0.0.1:1/",
			Request: map[string]any{"InstanceId": instanceID, "BackupId": restore().BackupID}}},
		{vendors.Request{Operation: vendors.Restart}, vendors.Plan{Request: map[string]any{}}},
	}
	for _, x := range cases {
		if got := c.Plan(x.req); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %+v, want %+v", x.req.Operation, got, x.want)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	f := Facts()
	rates := map[string]float64{
		"RestoreInstance": 20, "ClearInstance": 20, "DescribeTaskInfo": 20,
		"DescribeTaskList": 100, "DescribeInstances": 35, "DescribeInstanceBackups": 50,
	}
	for action, q := range f.Quotas {
		if q.PerSecond != rates[action] || q.Source == "" || q.Read != strings.HasPrefix(action, "Describe") {
			t.Errorf("%s: %+v", action, q)
		}
	}
	if len(f.Quotas) != len(rates) {
		t.Errorf("%d quotas, want %d", len(f.Quotas), len(rates))
	}
	for op, action := range f.Actions {
		if _, ok := f.Quotas[action]; !ok {
			t.Errorf("%s has no quota", op)
		}
	}
	if f.Supports(vendors.Restart) || f.Supports(vendors.SoftRestart) || !f.Supports(vendors.Flush) || !f.Supports(vendors.Restore) {
		t.Errorf("actions %v", f.Actions)
	}
	if len(f.Coalesce) != 0 || f.Survey < 50 || f.PollTogether < 1000 {
		t.Errorf("coalesced %v, surveyed %d, polled %d", f.Coalesce, f.Survey, f.PollTogether)
	}
	if f.SignatureLife != 5*time.Minute || f.Password != vendors.PasswordOptional || f.PointInTime || f.NeedsProject {
		t.Errorf("facts %+v", f)
	}
}
