package huawei

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

func TestExecuteRequests(t *testing.T) {
	t.Parallel()
	taken := ok(`{"results":[{"instance":"x","result":"failed"},{"instance":"` + id + `","result":"success"}]}`)
	status := func(action string) map[string]any {
		return map[string]any{"instances": []any{id}, "action": action}
	}
	cases := []struct {
		op           vendors.Operation
		action, call string
		answer       reply
		body         map[string]any
		task, state  string
	}{
		{vendors.Restart, actionStatus, putStatus, taken, status("restart"), "", `{"fromError":true}`},
		{vendors.SoftRestart, actionStatus, putStatus, taken, status("soft_restart"), "", `{"fromError":true}`},
		{vendors.Flush, actionStatus, putStatus, taken, status("flush"), "", `{"fromError":true}`},
		{vendors.Restore, actionRestore, postRestore, ok(`{"restore_id":"restore-1","new":1}`),
			map[string]any{"backup_id": "backup-1", "remark": "sluice-0abc"}, "restore-1", `{"fromError":true,"marker":"sluice-0abc","backup":"backup-1"}`},
	}
	for _, c := range cases {
		cloud := newCloud(t, map[string][]reply{c.call: {c.answer}})
		a := account(cloud.url + "/")
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
		v := client(t, a).Execute(t.Context(), request(c.op), vendors.Baseline(`{"status":"ERROR"}`), func(_ context.Context, at time.Time) error {
			signed = at
			cloud.wantCalls(t)
			return nil
		})
		wantVerdict(t, v, vendors.Accepted, "")
		if v.Task.ID != c.task || v.Response.TaskID != c.task || v.Task.Operation != c.op || v.Task.InstanceID != id ||
			v.Task.AcceptedAt.Before(before) || string(v.Task.State) != c.state {
			t.Errorf("task %+v with state %s", v.Task, v.Task.State)
		}
		if v.Response.RequestID != "req-1" || v.Response.HTTPStatus != 200 {
			t.Errorf("response %+v", v.Response)
		}
		cloud.wantCalls(t, c.call)
		got := cloud.calls[0]
		if !reflect.DeepEqual(got.body, c.body) {
			t.Errorf("body %v, want %v", got.body, c.body)
		}
		if got.header.Get("X-Security-Token") != markedToken || got.header.Get("X-Project-Id") != project ||
			!strings.Contains(got.header.Get("Authorization"), "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token, Signature=") {
			t.Errorf("headers %v", got.header)
		}
		if got.header.Get("X-Sdk-Date") != signed.Format(dateStyle) || signed.Location() != time.UTC {
			t.Errorf("commit was told %v, signed was %s", signed, got.header.Get("X-Sdk-Date"))
		}
		if len(observed) != 1 || observed[0] != c.action+" accepted" {
			t.Errorf("observed %v", observed)
		}
		plan := client(t, a).Plan(request(c.op))
		method, path, _ := strings.Cut(c.call, " ")
		if plan.Action != c.action || plan.Endpoint != method+" "+cloud.url+"/v2/"+project+path || len(plan.Request) != len(c.body) {
			t.Errorf("plan %+v", plan)
		}
	}
}

func TestExecuteWithheld(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, nil)
	lost := errors.New("the lease is gone")
	v := client(t, account(cloud.url)).Execute(t.Context(), request(vendors.Flush), nil, func(context.Context, time.Time) error { return lost })
	if v.Kind != vendors.Withheld || !errors.Is(v.Err, lost) {
		t.Errorf("verdict %+v", v)
	}
	cloud.wantCalls(t)
}

func TestExecuteAnswers(t *testing.T) {
	t.Parallel()
	result := func(rows string) reply { return ok(`{"results":[` + rows + `]}`) }
	mine := func(word string) string { return `{"instance":"` + id + `","result":` + word + `}` }
	retry := reply{status: 429, header: map[string]string{"Retry-After": "7"}, body: `{"error_code":"APIGW.0308","error_msg":"limit:N","request_id":"other"}`}
	cases := []struct {
		name   string
		answer reply
		kind   vendors.Kind
		reason string
	}{
		{"failed without a reason", result(mine(`"failed"`)), vendors.Refused, "vendor_refused"},
		{"missing id", result(`{"instance":"x","result":"success"}`), vendors.Ambiguous, "outcome_unknown"},
		{"no results", result(``), vendors.Ambiguous, "outcome_unknown"},
		{"new word", result(mine(`"queued"`)), vendors.Ambiguous, "outcome_unknown"},
		{"no word", result(mine(`null`)), vendors.Ambiguous, "outcome_unknown"},
		{"two words", result(mine(`"success"`) + `,` + mine(`"failed"`)), vendors.Ambiguous, "outcome_unknown"},
		{"one word twice", result(mine(`"success"`) + `,` + mine(`"success"`)), vendors.Accepted, ""},
		{"empty", ok(``), vendors.Ambiguous, "outcome_unknown"},
		{"empty object", ok(`{}`), vendors.Ambiguous, "outcome_unknown"},
		{"list", ok(`[]`), vendors.Ambiguous, "outcome_unknown"},
		{"HTML with 200", ok(`<html>welcome</html>`), vendors.Ambiguous, "outcome_unknown"},
		{"cut off", ok(`{"results":[` + mine(`"success"`)), vendors.Ambiguous, "outcome_unknown"},
		{"204", reply{status: 204}, vendors.Ambiguous, "outcome_unknown"},
		{"202 with the result", reply{status: 202, body: result(mine(`"success"`)).body}, vendors.Accepted, ""},
		{"200 with an error", fault(200, "DCS.4111"), vendors.Ambiguous, "outcome_unknown"},
		{"redirect", reply{status: 307, header: map[string]string{"Location": "/prefix/v2/" + project + "/instances/status"}}, vendors.Ambiguous, "outcome_unknown"},
		{"HTML with 502", reply{status: 502, body: "<html>bad gateway</html>"}, vendors.Ambiguous, "outcome_unknown"},
		{"HTML with 404", reply{status: 404, body: "<html>not found</html>"}, vendors.Ambiguous, "outcome_unknown"},
		{"HTML with 429", reply{status: 429, body: "<html>slow down</html>"}, vendors.Throttled, "quota_exhausted"},
		{"throttle", retry, vendors.Throttled, "quota_exhausted"},
		{"busy", fault(400, "DCS.4111"), vendors.Busy, "instance_busy"},
		{"busy, legacy code", fault(400, "111400111"), vendors.Busy, "instance_busy"},
		{"no instance", fault(404, "DCS.3022"), vendors.Refused, "instance_not_found"},
		{"forbidden", fault(403, "DCS.2007"), vendors.Unauthorized, "unauthorized"},
		{"IAM away", fault(503, "APIGW.0613"), vendors.Transient, "vendor_unavailable"},
		{"gateway timeout", fault(504, "APIGW.0201"), vendors.Ambiguous, "outcome_unknown"},
		{"unknown code", fault(400, "DCS.9999"), vendors.Ambiguous, "outcome_unknown"},
		{"too long", ok(`{"x":"` + strings.Repeat("x", wire.MaxAnswer) + `"}`), vendors.Ambiguous, "outcome_unknown"},
		{"hang-up", reply{}, vendors.Ambiguous, "outcome_unknown"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, map[string][]reply{putStatus: {c.answer}, getInstance: {c.answer}})
			cl := client(t, account(cloud.url))
			v := cl.Execute(t.Context(), request(vendors.Restart), nil, committed)
			wantVerdict(t, v, c.kind, c.reason)
			cloud.wantCalls(t, putStatus)
			if c.name == "throttle" && (v.RetryAfter != 7*time.Second || v.Response.Code != "APIGW.0308" || v.Response.Message != "limit:N") {
				t.Errorf("verdict %+v", v)
			}
			// The same answer to a look-up can never leave anything in doubt.
			if _, v = cl.show(t.Context(), id); v.Kind == vendors.Ambiguous || v.Kind == vendors.Done {
				t.Errorf("as the answer to a look-up: %+v", v)
			}
		})
	}
}

func TestRestoreAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer reply
		kind   vendors.Kind
		reason string
	}{
		"numeric id":  {ok(`{"restore_id":17}`), vendors.Accepted, ""},
		"no id":       {ok(`{}`), vendors.Ambiguous, "outcome_unknown"},
		"null id":     {ok(`{"restore_id":null}`), vendors.Ambiguous, "outcome_unknown"},
		"empty":       {ok(``), vendors.Ambiguous, "outcome_unknown"},
		"bad backup":  {fault(400, "DCS.4087"), vendors.Refused, "backup_unusable"},
		"in progress": {fault(400, "DCS.4097"), vendors.Busy, "instance_busy"},
	} {
		cloud := newCloud(t, map[string][]reply{postRestore: {c.answer}})
		v := client(t, account(cloud.url)).Execute(t.Context(), request(vendors.Restore), nil, committed)
		if wantVerdict(t, v, c.kind, c.reason); t.Failed() {
			t.Fatalf("answer: %s", name)
		}
	}
}

func TestRequestIDFromTheBody(t *testing.T) {
	t.Parallel()
	answer := reply{status: 401, header: map[string]string{"X-Request-Id": ""}, body: `{"error_code":"APIGW.0301","error_msg":"x","request_id":"req-9"}`}
	cloud := newCloud(t, map[string][]reply{putStatus: {answer}})
	v := client(t, account(cloud.url)).Execute(t.Context(), request(vendors.Restart), nil, committed)
	if v.Response.RequestID != "req-9" {
		t.Errorf("request id %q", v.Response.RequestID)
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

	restart := request(vendors.Restart)
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
	restart := request(vendors.Restart)
	cloud := newCloud(t, map[string][]reply{getInstance: {shown("RUNNING", "")}, getInstances: {ok(`{"instance_num":0,"instances":[]}`)}})
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
	if want := []string{actionShow, "key", actionInstances, "key"}; !reflect.DeepEqual(asked, want) {
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
	cloud.wantCalls(t, getInstance, getInstances)
}

// A server that echoes what it got, as the gateway does with the canonical
// request of a wrong signature, must not carry secrets into a verdict.
func TestSecretsStayIn(t *testing.T) {
	t.Parallel()
	words := "x-security-token:" + markedToken + ` and ` + markedKey + strings.Repeat("x", 200) + "marked-session-token%2F%2B%3D"
	echo := reply{status: 401, header: map[string]string{"X-Request-Id": markedToken},
		body: `{"error_code":"APIGW.0301","error_msg":"` + words + `","request_id":"` + markedKey + `"}`}
	cloud := newCloud(t, map[string][]reply{putStatus: {echo}, getInstance: {echo}, getInstances: {echo}})
	c := client(t, account(cloud.url))
	restart := request(vendors.Restart)
	wantVerdict(t, c.Execute(t.Context(), restart, nil, committed), vendors.Unauthorized, "unauthorized")
	_, v := c.Prepare(t.Context(), restart)
	wantVerdict(t, v, vendors.Unauthorized, "unauthorized")
	wantVerdict(t, c.Probe(t.Context()), vendors.Unauthorized, "unauthorized")
	wantVerdict(t, c.Reconcile(t.Context(), restart, vendors.Intent{}).Verdict, vendors.Unauthorized, "unauthorized")
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*vendors.Account){
		"no scheme":      func(a *vendors.Account) { a.Endpoint = "dcs.cn-north-4.myhuaweicloud.com" },
		"other scheme":   func(a *vendors.Account) { a.Endpoint = "ftp://host" },
		"no host":        func(a *vendors.Account) { a.Endpoint = "https:///path" },
		"query":          func(a *vendors.Account) { a.Endpoint = "https://host/?a=b" },
		"user":           func(a *vendors.Account) { a.Endpoint = "https://user:pass@host" },
		"no project":     func(a *vendors.Account) { a.Project = "" },
		"odd project":    func(a *vendors.Account) { a.Project = "a/b" },
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
