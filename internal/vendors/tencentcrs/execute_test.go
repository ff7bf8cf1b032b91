package tencentcrs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
)

func TestExecuteAccepts(t *testing.T) {
	t.Parallel()
	cases := []struct {
		req              vendors.Request
		answer, form, id string
	}{
		{restore(), success(`"data":{"requestId":375074}`), "backupId=e824aecc-ef5e-11e6-a2c7-525400082493&password=%4012D3E%40%21r5ed+%26x&redisId=crs-izbob1wh", "375074"},
		{flush(), `{"code":"0","message":"","codeDesc":"Success","data":[{"requestId":"9007199254740993"}]}`, "password=%4012D3E%40%21r5ed+%26x&redisId=crs-izbob1wh", "9007199254740993"},
	}
	for _, x := range cases {
		action := Facts().Actions[x.req.Operation]
		s := newCloud(t, map[string][]string{action: {x.answer}})
		var signedAt time.Time
		v := client(t, s.account()).Execute(t.Context(), x.req, nil, func(_ context.Context, at time.Time) error {
			signedAt = at
			s.step("commit")
			return nil
		})
		if v.Kind != vendors.Accepted || v.Task.ID != x.id || v.Response.TaskID != x.id || v.Task.InstanceID != instanceID || v.Task.Operation != x.req.Operation || v.Task.AcceptedAt.IsZero() {
			t.Errorf("%s: %+v", x.answer, v)
		}
		got := s.requests("")
		if len(got) != 1 || got[0].own() != x.form || got[0].form.Get("Timestamp") != strconv.FormatInt(signedAt.Unix(), 10) {
			t.Errorf("%s: requests %+v, signed at %v", x.answer, got, signedAt)
		}
		// A mutation's permit is part of commit, and nothing leaves before that.
		want := "commit, call " + action + ", observe " + action + " accepted"
		if steps := strings.Join(s.steps, ", "); steps != want {
			t.Errorf("steps %q, want %q", steps, want)
		}
	}
}

func TestExecuteJudges(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, answer string
		kind         vendors.Kind
		reason       string
	}{
		{"no data", `{"code":0}`, vendors.Ambiguous, "outcome_unknown"},
		{"no task id", success(`"data":{}`), vendors.Ambiguous, "outcome_unknown"},
		{"task id zero", success(`"data":{"requestId":0}`), vendors.Ambiguous, "outcome_unknown"},
		{"task id of a trace", success(`"requestId":"8cf6b1d1","data":{}`), vendors.Ambiguous, "outcome_unknown"},
		{"no code", `{"data":{"requestId":1}}`, vendors.Ambiguous, "outcome_unknown"},
		{"code null", `{"code":null,"data":{"requestId":1}}`, vendors.Ambiguous, "outcome_unknown"},
		{"code as words", `{"code":"Success","data":{"requestId":1}}`, vendors.Ambiguous, "outcome_unknown"},
		{"empty", "", vendors.Ambiguous, "outcome_unknown"},
		{"null", "null", vendors.Ambiguous, "outcome_unknown"},
		{"garbage", "\x00\xff{", vendors.Ambiguous, "outcome_unknown"},
		{"HTML under 200", "<html>OK</html>", vendors.Ambiguous, "outcome_unknown"},
		{"two objects", success(`"data":{"requestId":1}`) + "{}", vendors.Ambiguous, "outcome_unknown"},
		{"gateway time-out", "504 <html>gateway</html>", vendors.Ambiguous, "outcome_unknown"},
		{"success under 502", "502 " + success(`"data":{"requestId":1}`), vendors.Ambiguous, "outcome_unknown"},
		{"success under 429", "429 " + success(`"data":{"requestId":1}`), vendors.Ambiguous, "outcome_unknown"},
		{"lock under 503", "503 " + fault("10707", "", ""), vendors.Ambiguous, "outcome_unknown"},
		{"permanent redirect", "308 ", vendors.Ambiguous, "outcome_unknown"},
		{"other redirect", "302 " + success(`"data":{"requestId":1}`), vendors.Ambiguous, "outcome_unknown"},
		{"throttled by a gateway", "429 slow down", vendors.Throttled, "quota_exhausted"},
		{"throttled under 503", "503 " + fault("4400", "", ""), vendors.Throttled, "quota_exhausted"},
		{"throttled", fault(`"4400"`, "slow down", ""), vendors.Throttled, "quota_exhausted"},
		{"locked", fault("10707", "locked", ""), vendors.Busy, "instance_busy"},
		{"locked, in brackets", fault("5100", "(10707)locked", ""), vendors.Busy, "instance_busy"},
		{"locked, by name", fault("5100", "", "InstanceLockedError"), vendors.Busy, "instance_busy"},
		{"clock", fault("4500", "replay", ""), vendors.Unauthorized, "unauthorized"},
		{"maintenance", fault("6200", "later", ""), vendors.Ambiguous, "outcome_unknown"},
		{"unknown code", fault("7777", "?", ""), vendors.Ambiguous, "outcome_unknown"},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := newCloud(t, map[string][]string{actionClear: {x.answer}})
			v := client(t, s.account()).Execute(t.Context(), flush(), nil, accept)
			if v.Kind != x.kind || v.Reason != x.reason || v.Message == "" || v.Task.ID != "" {
				t.Errorf("%+v, want %v %s", v, x.kind, x.reason)
			}
			if n := len(s.requests("")); n != 1 {
				t.Errorf("%d requests", n)
			}
			if want := "observe ClearRedis " + x.kind.String(); s.steps[len(s.steps)-1] != want {
				t.Errorf("steps %q, want %q", s.steps, want)
			}
		})
	}
}

func TestExecuteReportsTheVendorsWords(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{actionClear: {fault("10712", "", "PasswordError")}})
	v := client(t, s.account()).Execute(t.Context(), flush(), nil, accept)
	want := vendors.Verdict{
		Kind: vendors.Refused, Reason: "password_invalid",
		Message:  "ClearRedis: HTTP 200: 10712 PasswordError",
		Response: vendors.Response{HTTPStatus: 200, Code: "10712", Message: "PasswordError"},
	}
	if v.Kind != want.Kind || v.Reason != want.Reason || v.Message != want.Message || v.Response != want.Response {
		t.Errorf("%+v, want %+v", v, want)
	}
}

func TestExecuteSendsNothing(t *testing.T) {
	t.Parallel()
	point := restore()
	point.TimePoint = time.Now()
	aimless := restore()
	aimless.BackupID = ""
	open := flush()
	open.Password = secret.Text{}
	gone := errors.New("lease lost")
	cases := []struct {
		name   string
		req    vendors.Request
		change func(*vendors.Account)
		commit vendors.Commit
		kind   vendors.Kind
		reason string
	}{
		{"restart", vendors.Request{Operation: vendors.Restart, InstanceID: instanceID}, nil, accept, vendors.Refused, "operation_unsupported"},
		{"point in time", point, nil, accept, vendors.Refused, "operation_unsupported"},
		{"no backup", aimless, nil, accept, vendors.Refused, "vendor_refused"},
		{"no password", open, nil, accept, vendors.Refused, "password_invalid"},
		{"commit fails", flush(), nil, func(context.Context, time.Time) error { return gone }, vendors.Withheld, ""},
		{"no credentials", flush(), func(a *vendors.Account) {
			a.Credentials = func(context.Context) (vendors.Credentials, error) { return vendors.Credentials{}, gone }
		}, accept, vendors.Unauthorized, "unauthorized"},
	}
	for _, x := range cases {
		s := newCloud(t, nil)
		a := s.account()
		if x.change != nil {
			x.change(&a)
		}
		v := client(t, a).Execute(t.Context(), x.req, nil, x.commit)
		if v.Kind != x.kind || v.Reason != x.reason || len(s.requests("")) != 0 {
			t.Errorf("%s: %+v after %d requests", x.name, v, len(s.requests("")))
		}
		if x.kind == vendors.Withheld && !errors.Is(v.Err, gone) {
			t.Errorf("%s: error %v", x.name, v.Err)
		}
	}
}

// server runs handle on every connection and counts the requests that it read.
func server(t *testing.T, handle func(net.Conn)) (url string, count *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	count = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					count.Add(1)
					handle(c)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), count
}

func TestTransportFaults(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + l.Addr().String()
	_ = l.Close()
	none := new(atomic.Int32)
	dropping, dropped := server(t, func(net.Conn) {})
	halting, halted := server(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"Resp") })
	mute, muted := server(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	cases := []struct {
		name     string
		url      string
		count    *atomic.Int32
		timeout  time.Duration
		requests int32
		mutation vendors.Kind
	}{
		{"refused", refusing, none, long, 0, vendors.Transient},
		{"dropped after the request", dropping, dropped, long, 1, vendors.Ambiguous},
		{"answer breaks off", halting, halted, long, 1, vendors.Ambiguous},
		{"no answer in time", mute, muted, 200 * time.Millisecond, 1, vendors.Ambiguous},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a := (&cloud{url: x.url}).account()
			a.Timeout = x.timeout
			c := client(t, a)
			v := c.Execute(t.Context(), flush(), nil, accept)
			if v.Kind != x.mutation || v.Reason == "" || x.count.Load() != x.requests {
				t.Errorf("mutation: %+v after %d requests", v, x.count.Load())
			}
			_, v = c.Prepare(t.Context(), flush())
			if v.Kind != vendors.Transient || v.Reason != "vendor_unavailable" || x.count.Load() != 2*x.requests {
				t.Errorf("look-up: %+v after %d requests", v, x.count.Load())
			}
		})
	}
}

// A vendor that echoes what it was sent must not get it into our records.
func TestNothingSecretComesBack(t *testing.T) {
	t.Parallel()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		words := strings.Join([]string{form.Get("Token"), form.Get("Signature"), testKey, testID, form.Get("password"), string(raw)}, " ")
		_, _ = io.WriteString(w, fault("11201", words, testKey))
	})
	srv := httptest.NewServer(echo)
	t.Cleanup(srv.Close)
	a := (&cloud{url: srv.URL}).account()
	c := client(t, a)
	hidden := flush()
	v := c.Execute(t.Context(), hidden, nil, accept)
	_, w := c.Prepare(t.Context(), hidden)
	withheld := c.Execute(t.Context(), hidden, nil, func(context.Context, time.Time) error { return errors.New("no: " + testKey + hidden.Password.Reveal()) })
	for _, got := range []vendors.Verdict{v, w, {Message: withheld.Message}} {
		for _, word := range []string{testKey, testToken, url.QueryEscape(testToken), testID, password, url.QueryEscape(password), "12D3E"} {
			for _, text := range []string{got.Message, got.Response.Message, got.Response.Code, got.Response.RequestID} {
				if strings.Contains(text, word) {
					t.Errorf("%q is in %q", word, text)
				}
			}
		}
		if regexp.MustCompile(`[A-Za-z0-9+/]{43}=`).MatchString(got.Message + got.Response.Message) {
			t.Errorf("a signature is in %q", got.Message)
		}
		if !strings.Contains(got.Message, secret.Redacted) {
			t.Errorf("nothing was redacted in %q", got.Message)
		}
	}
}
