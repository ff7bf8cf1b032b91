package volcengine

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/wire"
)

var restart = vendors.Request{Operation: vendors.Restart, InstanceID: id, ClientToken: "Tok n-1<&>"}

func TestExecuteRequests(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 20, 4, 5, 999, time.FixedZone("", 8*3600))
	cases := []struct {
		req    vendors.Request
		action string
		body   map[string]any
		kind   vendors.Kind
	}{
		{restart, actionRestart, map[string]any{"InstanceId": id, "ClientToken": "Tok n-1<&>"}, vendors.Accepted},
		{vendors.Request{Operation: vendors.Flush, InstanceID: id, ClientToken: "t"}, actionFlush, map[string]any{"InstanceId": id, "ClientToken": "t"}, vendors.Done},
		{vendors.Request{Operation: vendors.Restore, InstanceID: id, ClientToken: "t", BackupID: "b-1"}, actionRestore,
			map[string]any{"InstanceId": id, "ClientToken": "t", "BackupType": "Full", "BackupPointId": "b-1"}, vendors.Accepted},
		{vendors.Request{Operation: vendors.Restore, InstanceID: id, ClientToken: "t", TimePoint: noon}, actionRestore,
			map[string]any{"InstanceId": id, "ClientToken": "t", "BackupType": "Inc", "TimePoint": "2026-01-02T12:04:05Z"}, vendors.Accepted},
	}
	for _, c := range cases {
		cloud := newCloud(t, map[string][]reply{c.action: {ok(c.action, "null")}})
		a := account(cloud.url + "/prefix/")
		var observed []string
		a.Observe = func(action string, v vendors.Verdict, took time.Duration) {
			observed = append(observed, action+" "+v.Kind.String())
			if took <= 0 {
				t.Errorf("%s took %v", action, took)
			}
		}
		a.Permit = func(context.Context, string) error { t.Error("a mutation asked for a look-up's permit"); return nil }
		var signed time.Time
		before := time.Now()
		v := client(t, a).Execute(t.Context(), c.req, nil, func(_ context.Context, at time.Time) error {
			signed = at
			if n := len(cloud.actions()); n != 0 {
				t.Errorf("%d calls were made before commit", n)
			}
			return nil
		})
		wantVerdict(t, v, c.kind, "")
		if c.kind == vendors.Accepted && (v.Task.Operation != c.req.Operation || v.Task.InstanceID != id || v.Task.AcceptedAt.Before(before)) {
			t.Errorf("task %+v", v.Task)
		}
		if v.Response.RequestID != "req-1" || v.Response.HTTPStatus != 200 {
			t.Errorf("response %+v", v.Response)
		}
		cloud.wantActions(t, c.action)
		got := cloud.calls[0]
		if !reflect.DeepEqual(got.body, c.body) || got.path != "/prefix/" || "http://"+got.host != cloud.url {
			t.Errorf("request %+v, want body %v", got, c.body)
		}
		if got.header.Get("X-Security-Token") != markedToken || !strings.Contains(got.header.Get("Authorization"), "/cn-beijing/redis/request, SignedHeaders=content-type;host;x-content-sha256;x-date;x-security-token, Signature=") {
			t.Errorf("headers %v", got.header)
		}
		if got.header.Get("X-Date") != signed.Format(dateStyle) || signed.Location() != time.UTC {
			t.Errorf("commit was told %v, signed was %s", signed, got.header.Get("X-Date"))
		}
		if want := c.action + " " + c.kind.String(); len(observed) != 1 || observed[0] != want {
			t.Errorf("observed %v, want %s", observed, want)
		}
		plan := client(t, a).Plan(c.req)
		if plan.Action != c.action || plan.Endpoint != "POST "+cloud.url+"/prefix/?Action="+c.action+"&Version=2020-12-07" || !reflect.DeepEqual(plan.Request, c.body) {
			t.Errorf("plan %+v", plan)
		}
	}
}

func TestExecuteWithheld(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, nil)
	lost := errors.New("the lease is gone")
	v := client(t, account(cloud.url)).Execute(t.Context(), restart, nil, func(context.Context, time.Time) error { return lost })
	if v.Kind != vendors.Withheld || !errors.Is(v.Err, lost) {
		t.Errorf("verdict %+v", v)
	}
	cloud.wantActions(t)
}

func TestExecuteAnswers(t *testing.T) {
	t.Parallel()
	retry := fault(429, "FlowLimitExceeded")
	retry.header = map[string]string{"Retry-After": "7"}
	cases := []struct {
		name   string
		answer reply
		kind   vendors.Kind
		reason string
	}{
		{"no result at all", reply{status: 200, body: `{"ResponseMetadata":{"RequestId":"r","Action":"RestartDBInstance","Error":null}}`}, vendors.Accepted, ""},
		{"unknown fields", reply{status: 200, body: `{"New":1,"ResponseMetadata":{"RequestId":"r","New":[]},"Result":{"New":1}}`}, vendors.Accepted, ""},
		{"request id as a number", reply{status: 200, body: `{"ResponseMetadata":{"RequestId":17}}`}, vendors.Accepted, ""},
		{"empty", reply{status: 200}, vendors.Ambiguous, "outcome_unknown"},
		{"empty object", reply{status: 200, body: `{}`}, vendors.Ambiguous, "outcome_unknown"},
		{"empty metadata", reply{status: 200, body: `{"ResponseMetadata":{}}`}, vendors.Ambiguous, "outcome_unknown"},
		{"answer to another action", ok("FlushDBInstance", "null"), vendors.Ambiguous, "outcome_unknown"},
		{"list", reply{status: 200, body: `[]`}, vendors.Ambiguous, "outcome_unknown"},
		{"cut off", reply{status: 200, body: `{"ResponseMetadata":{"RequestId":"r"`}, vendors.Ambiguous, "outcome_unknown"},
		{"two answers", reply{status: 200, body: `{"ResponseMetadata":{"RequestId":"r"}}{}`}, vendors.Ambiguous, "outcome_unknown"},
		{"202", reply{status: 202, body: ok(actionRestart, "null").body}, vendors.Ambiguous, "outcome_unknown"},
		{"204", reply{status: 204}, vendors.Ambiguous, "outcome_unknown"},
		{"200 with an error", fault(200, "InstanceNotExist"), vendors.Refused, "instance_not_found"},
		{"200 with an empty error", reply{status: 200, body: `{"ResponseMetadata":{"RequestId":"r","Error":{}}}`}, vendors.Ambiguous, "outcome_unknown"},
		{"200 with a throttle", fault(200, "AccountFlowLimitExceeded"), vendors.Throttled, "quota_exhausted"},
		{"redirect", reply{status: 307, header: map[string]string{"Location": "/?Action=RestartDBInstance&Version=2020-12-07"}}, vendors.Ambiguous, "outcome_unknown"},
		// No document names the code for a ClientToken that was used with other parameters.
		{"token used before", fault(400, "IdempotentParameterMismatch"), vendors.Ambiguous, "outcome_unknown"},
		{"HTML", reply{status: 502, body: "<html>bad gateway</html>"}, vendors.Ambiguous, "outcome_unknown"},
		{"HTML with 403", reply{status: 403, body: "<html>blocked</html>"}, vendors.Ambiguous, "outcome_unknown"},
		{"HTML with 429", reply{status: 429, body: "<html>slow down</html>"}, vendors.Throttled, "quota_exhausted"},
		{"400 without an error", reply{status: 400, body: `{"ResponseMetadata":{"RequestId":"r"}}`}, vendors.Ambiguous, "outcome_unknown"},
		{"unknown code", fault(400, "Surprise"), vendors.Ambiguous, "outcome_unknown"},
		{"too long", reply{status: 200, body: `{"x":"` + strings.Repeat("x", wire.MaxAnswer) + `"}`}, vendors.Ambiguous, "outcome_unknown"},
		{"busy", fault(400, "InstanceStatusNotMatch"), vendors.Busy, "instance_busy"},
		{"throttle", retry, vendors.Throttled, "quota_exhausted"},
		{"hang-up", reply{}, vendors.Ambiguous, "outcome_unknown"},
		{"gateway timeout", fault(504, "InternalServiceTimeout"), vendors.Ambiguous, "outcome_unknown"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{actionRestart: {c.answer}, actionDetail: {c.answer}})
			cl := client(t, account(cloud.url))
			v := cl.Execute(t.Context(), restart, nil, committed)
			wantVerdict(t, v, c.kind, c.reason)
			cloud.wantActions(t, actionRestart)
			if c.name == "throttle" && v.RetryAfter != 7*time.Second {
				t.Errorf("wait %v", v.RetryAfter)
			}
			// The same answer to a look-up can never leave anything in doubt.
			if _, v = cl.detail(t.Context(), id); v.Kind == vendors.Ambiguous || v.Kind == vendors.Done {
				t.Errorf("as the answer to a look-up: %+v", v)
			}
		})
	}
}

func TestTransportFaults(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + l.Addr().String()
	_ = l.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	var observed []vendors.Kind
	a := account(refusing)
	a.Observe = func(_ string, v vendors.Verdict, _ time.Duration) { observed = append(observed, v.Kind) }
	wantVerdict(t, client(t, a).Execute(t.Context(), restart, nil, committed), vendors.Transient, "vendor_unavailable")
	_, v := client(t, a).Prepare(t.Context(), restart)
	wantVerdict(t, v, vendors.Transient, "vendor_unavailable")
	if len(observed) != 2 || observed[0] != vendors.Transient || observed[1] != vendors.Transient {
		t.Errorf("observed %v", observed)
	}

	a = account("http://" + silent.Addr().String())
	a.Timeout = 500 * time.Millisecond
	wantVerdict(t, client(t, a).Execute(t.Context(), restart, nil, committed), vendors.Ambiguous, "outcome_unknown")
	_, v = client(t, a).Prepare(t.Context(), restart)
	wantVerdict(t, v, vendors.Transient, "vendor_unavailable")

	ended, cancel := context.WithCancel(t.Context())
	v = client(t, a).Execute(ended, restart, nil, func(context.Context, time.Time) error { cancel(); return nil })
	wantVerdict(t, v, vendors.Transient, "vendor_unavailable")
}

func TestPermitAndCredentials(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, map[string][]reply{actionDetail: {described("Running")}, actionInstances: {ok(actionInstances, `{"TotalInstancesNum":0,"Instances":[]}`)}})
	a := account(cloud.url)
	var asked []string
	a.Permit = func(_ context.Context, action string) error { asked = append(asked, action); return nil }
	creds := a.Credentials
	a.Credentials = func(ctx context.Context) (vendors.Credentials, error) {
		asked = append(asked, "key")
		return creds(ctx)
	}
	_, v := client(t, a).Prepare(t.Context(), restart)
	wantVerdict(t, v, vendors.Done, "")
	wantVerdict(t, client(t, a).Probe(t.Context()), vendors.Done, "")
	if want := []string{actionDetail, "key", actionInstances, "key"}; !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}

	a.Permit = func(context.Context, string) error { return errors.New("breaker is open") }
	a.Observe = func(action string, _ vendors.Verdict, _ time.Duration) {
		t.Errorf("a call of %s that was not made was observed", action)
	}
	_, v = client(t, a).Prepare(t.Context(), restart)
	wantVerdict(t, v, vendors.Transient, "vendor_unavailable")
	if !strings.Contains(v.Message, "breaker is open") {
		t.Errorf("message %q", v.Message)
	}

	a.Permit = nil
	a.Credentials = func(context.Context) (vendors.Credentials, error) {
		return vendors.Credentials{}, errors.New("no profile")
	}
	_, v = client(t, a).Prepare(t.Context(), restart)
	wantVerdict(t, v, vendors.Unauthorized, "unauthorized")
	wantVerdict(t, client(t, a).Execute(t.Context(), restart, nil, committed), vendors.Unauthorized, "unauthorized")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, v = client(t, a).Prepare(cancelled, restart)
	wantVerdict(t, v, vendors.Transient, "vendor_unavailable")
	cloud.wantActions(t, actionDetail, actionInstances)
}

// A server that echoes what it got must not carry secrets into a verdict.
func TestSecretsStayIn(t *testing.T) {
	t.Parallel()
	echo := reply{status: 401, body: `{"ResponseMetadata":{"RequestId":"` + markedToken + `","Error":{"Code":"` + markedKey + `","Message":"with ` +
		markedKey + ` and ` + strings.Repeat("x", 200) + ` token ` + markedToken + ` and marked-session-token%2F%2B%3D"}}}`}
	cloud := newCloud(t, map[string][]reply{actionRestart: {echo}, actionDetail: {echo}, actionInstances: {echo}})
	c := client(t, account(cloud.url))
	wantVerdict(t, c.Execute(t.Context(), restart, nil, committed), vendors.Ambiguous, "outcome_unknown")
	_, v := c.Prepare(t.Context(), restart)
	wantVerdict(t, v, vendors.Transient, "vendor_unavailable")
	wantVerdict(t, c.Probe(t.Context()), vendors.Transient, "vendor_unavailable")
	wantVerdict(t, c.Reconcile(t.Context(), restart, vendors.Intent{}).Verdict, vendors.Transient, "vendor_unavailable")
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*vendors.Account){
		"no scheme":      func(a *vendors.Account) { a.Endpoint = "redis.cn-beijing.volcengineapi.com" },
		"other scheme":   func(a *vendors.Account) { a.Endpoint = "ftp://host" },
		"no host":        func(a *vendors.Account) { a.Endpoint = "https:///path" },
		"query":          func(a *vendors.Account) { a.Endpoint = "https://host/?a=b" },
		"user":           func(a *vendors.Account) { a.Endpoint = "https://user:pass@host" },
		"no region":      func(a *vendors.Account) { a.Region = "" },
		"no credentials": func(a *vendors.Account) { a.Credentials = nil },
		"no timeout":     func(a *vendors.Account) { a.Timeout = 0 },
	} {
		a := account("https://host:8443/prefix")
		if _, err := New(a); err != nil {
			t.Fatal(err)
		}
		spoil(&a)
		if _, err := New(a); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
