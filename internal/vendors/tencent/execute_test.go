package tencent

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
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
		req    vendors.Request
		answer string
		body   string
		id     string
	}{
		{restore(), response(`"TaskId":6954227`), `{"BackupId":"154572601-1165734321-153731245","InstanceId":"crs-5a4py64p"}`, "6954227"},
		{restore(), response(`"TaskId":"6954227"`), `{"BackupId":"154572601-1165734321-153731245","InstanceId":"crs-5a4py64p"}`, "6954227"},
		{flush(), response(`"TaskId":9007199254740993`), `{"InstanceId":"crs-5a4py64p","Password":"p4ss<word>&1"}`, "9007199254740993"},
		{flush(), `{"Response":{"TaskId":18446744073709551615,"Error":null}}`, `{"InstanceId":"crs-5a4py64p","Password":"p4ss<word>&1"}`, "18446744073709551615"},
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
		if len(got) != 1 || string(got[0].raw) != x.body || got[0].header.Get("X-TC-Timestamp") != (Message{At: signedAt}).timestamp() {
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
		{"no task id", response(`"X":1`), vendors.Ambiguous, "outcome_unknown"},
		{"task id zero", response(`"TaskId":0`), vendors.Ambiguous, "outcome_unknown"},
		{"task id a float", response(`"TaskId":6.95e6`), vendors.Ambiguous, "outcome_unknown"},
		{"task id negative", response(`"TaskId":-1`), vendors.Ambiguous, "outcome_unknown"},
		{"task id an object", response(`"TaskId":{}`), vendors.Ambiguous, "outcome_unknown"},
		{"empty", "", vendors.Ambiguous, "outcome_unknown"},
		{"garbage", "\x00\xff{", vendors.Ambiguous, "outcome_unknown"},
		{"HTML under 200", "<html>OK</html>", vendors.Ambiguous, "outcome_unknown"},
		{"two objects", response(`"TaskId":1`) + "{}", vendors.Ambiguous, "outcome_unknown"},
		{"no Response", `{"TaskId":1}`, vendors.Ambiguous, "outcome_unknown"},
		{"Response null", `{"Response":null}`, vendors.Ambiguous, "outcome_unknown"},
		{"Error without a code", response(`"Error":{}`), vendors.Ambiguous, "outcome_unknown"},
		{"Error as text", response(`"Error":"x","TaskId":1`), vendors.Ambiguous, "outcome_unknown"},
		{"gateway time-out", "504 <html>gateway</html>", vendors.Ambiguous, "outcome_unknown"},
		{"success under 502", "502 " + response(`"TaskId":1`), vendors.Ambiguous, "outcome_unknown"},
		{"success under 429", "429 " + response(`"TaskId":1`), vendors.Ambiguous, "outcome_unknown"},
		{"lock under 503", "503 " + fault("ResourceInUse", ""), vendors.Ambiguous, "outcome_unknown"},
		{"permanent redirect", "308 ", vendors.Ambiguous, "outcome_unknown"},
		{"other redirect", "302 " + response(`"TaskId":1`), vendors.Ambiguous, "outcome_unknown"},
		{"throttled by a gateway", "429 slow down", vendors.Throttled, "quota_exhausted"},
		{"throttled under 503", "503 " + fault("RequestLimitExceeded.UinLimitExceeded", ""), vendors.Throttled, "quota_exhausted"},
		{"throttled", fault("RequestLimitExceeded", "slow down"), vendors.Throttled, "quota_exhausted"},
		{"locked", fault("ResourceUnavailable.InstanceLockedError", "locked"), vendors.Busy, "instance_busy"},
		{"clock", fault("AuthFailure.SignatureExpire", "expired"), vendors.Unauthorized, "unauthorized"},
		{"unknown code", fault("Brand.New", "?"), vendors.Ambiguous, "outcome_unknown"},
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
			if want := "observe ClearInstance " + x.kind.String(); s.steps[len(s.steps)-1] != want {
				t.Errorf("steps %q, want %q", s.steps, want)
			}
		})
	}
}

func TestExecuteReportsTheVendorsWords(t *testing.T) {
	t.Parallel()
	s := newCloud(t, map[string][]string{actionClear: {fault("InvalidParameterValue.PasswordError", "wrong")}})
	v := client(t, s.account()).Execute(t.Context(), flush(), nil, accept)
	want := vendors.Verdict{
		Kind: vendors.Refused, Reason: "password_invalid",
		Message:  "ClearInstance: HTTP 200: InvalidParameterValue.PasswordError wrong",
		Response: vendors.Response{HTTPStatus: 200, Code: "InvalidParameterValue.PasswordError", Message: "wrong", RequestID: "req-1"},
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
		_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
		words := strings.Join([]string{r.Header.Get("X-TC-Token"), signature, testKey, testID, string(raw)}, " ")
		_, _ = io.WriteString(w, fault("InvalidParameter."+testKey, words))
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
		for _, word := range []string{testKey, testToken, testID, "p4ss", "word>&1"} {
			for _, text := range []string{got.Message, got.Response.Message, got.Response.Code, got.Response.RequestID} {
				if strings.Contains(text, word) {
					t.Errorf("%q is in %q", word, text)
				}
			}
		}
		if regexp.MustCompile(`[0-9a-f]{64}`).MatchString(got.Message + got.Response.Message) {
			t.Errorf("a signature is in %q", got.Message)
		}
		if !strings.Contains(got.Message, secret.Redacted) {
			t.Errorf("nothing was redacted in %q", got.Message)
		}
	}
}
