package tencentcrs

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestNewChecksTheAccount(t *testing.T) {
	t.Parallel()
	good := (&cloud{url: "https://redis.api.qcloud.com"}).account()
	cases := map[string]func(*vendors.Account){
		"":                      func(*vendors.Account) {},
		"needs scheme and host": func(a *vendors.Account) { a.Endpoint = "redis.api.qcloud.com" },
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
		"https://redis.api.qcloud.com":     {"https://redis.api.qcloud.com/v2/index.php", "redis.api.qcloud.com"},
		"http://127.0.0.1:8443/":           {"http://127.0.0.1:8443/v2/index.php", "127.0.0.1:8443"},
		"http://localhost:80/some/prefix/": {"http://localhost:80/some/prefix/v2/index.php", "localhost:80"},
		"http://localhost:":                {"http://localhost:/v2/index.php", "localhost"},
	} {
		c := client(t, (&cloud{url: endpoint}).account())
		if got := [2]string{c.endpoint(), c.host()}; got != want {
			t.Errorf("%s gave %v, want %v", endpoint, got, want)
		}
	}
}

// What is on the wire must be what was signed, with a nonce of its own each time.
func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{actionTask: {success(`"data":{"status":1}`)}})
	c := client(t, s.account())
	before := time.Now().Unix()
	c.Poll(t.Context(), []vendors.Task{{ID: "9007199254740993"}, {ID: "9007199254740993"}})
	got := s.requests("")
	if len(got) != 2 || got[0].form.Get("Nonce") == got[1].form.Get("Nonce") {
		t.Fatalf("requests %+v", got)
	}
	h := got[0]
	if h.path != "/v2/index.php" || h.query != "" || "http://"+h.host != s.url || h.contentType != "application/x-www-form-urlencoded" {
		t.Errorf("request %+v", h)
	}
	params := map[string]string{}
	for name, values := range h.form {
		if name != "Signature" {
			params[name] = values[0]
		}
	}
	if want := Signature("POST", h.host, "/v2/index.php", params, secret.New(testKey)); h.form.Get("Signature") != want {
		t.Errorf("signature %s, want %s", h.form.Get("Signature"), want)
	}
	if at, err := strconv.ParseInt(params["Timestamp"], 10, 64); err != nil || at < before || at > time.Now().Unix() {
		t.Errorf("timestamp %s", params["Timestamp"])
	}
	delete(params, "Timestamp")
	delete(params, "Nonce")
	want := map[string]string{
		"Action": "DescribeTaskInfo", "Region": "gz", "SecretId": testID, "SignatureMethod": "HmacSHA256",
		"Token": testToken, "requestId": "9007199254740993",
	}
	if !reflect.DeepEqual(params, want) {
		t.Errorf("parameters %v, want %v", params, want)
	}
	if want := []string{"permit DescribeTaskInfo", "call DescribeTaskInfo", "observe DescribeTaskInfo done"}; !reflect.DeepEqual(s.steps[:3], want) {
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
		{flush(), vendors.Plan{Action: "ClearRedis", Endpoint: "POST http://127.0.0.1:1/v2/index.php",
			Request: map[string]any{"Action": "ClearRedis", "Region": "gz", "redisId": instanceID, "password": "[redacted]"}}},
		{restore(), vendors.Plan{Action: "RestoreInstance", Endpoint: "POST http://127.0.0.1:1/v2/index.php",
			Request: map[string]any{"Action": "RestoreInstance", "Region": "gz", "redisId": instanceID, "password": "[redacted]", "backupId": restore().BackupID}}},
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
		"ClearRedis": 5, "RestoreInstance": 5,
		"DescribeTaskInfo": 10, "GetRedisTaskList": 10, "DescribeRedis": 10, "GetRedisBackupList": 10,
	}
	for action, q := range f.Quotas {
		if q.PerSecond != rates[action] || q.Source == "" || q.Read != (q.PerSecond == 10) {
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
	if f.SignatureLife != 5*time.Minute || f.Password != vendors.PasswordRequired || f.PointInTime || f.NeedsProject {
		t.Errorf("facts %+v", f)
	}
}
