package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

const long = 30 * time.Second

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func transport(t *testing.T) *http.Transport {
	t.Helper()
	rt := Transport(2)
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

// rawServer answers each connection with handle and counts the requests read.
func rawServer(t *testing.T, handle func(c net.Conn, requests *atomic.Int32)) (url string, requests *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	requests = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c, requests)
			}()
		}
	}()
	return "http://" + l.Addr().String(), requests
}

// readRequest reads one whole request from r and counts it.
func readRequest(r *bufio.Reader, requests *atomic.Int32) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	requests.Add(1)
	_, _ = io.Copy(io.Discard, req.Body)
	return true
}

func TestDoReturnsEveryStatusAsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 204, 302, 307, 400, 429, 502} {
		var calls atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("X-Echo", string(body))
			w.WriteHeader(status)
		}))
		a, err := Do(t.Context(), transport(t), request(t, "POST", s.URL, "hello"), long)
		s.Close()
		if err != nil || a.Status != status || a.Header.Get("X-Echo") != "hello" || calls.Load() != 1 {
			t.Errorf("status %d: got %d, echo %q, %d calls, error %v", status, a.Status, a.Header.Get("X-Echo"), calls.Load(), err)
		}
	}
}

func TestDoSendsNoBodyWithALookUp(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body) != 0 || len(r.TransferEncoding) != 0 || r.Header.Get("Content-Length") != "" {
			t.Errorf("a look-up came with body %q, encoding %v, length %q", body, r.TransferEncoding, r.Header.Get("Content-Length"))
		}
	}))
	defer s.Close()
	if _, err := Do(t.Context(), transport(t), request(t, "GET", s.URL, ""), long); err != nil {
		t.Error(err)
	}
}

func TestDoKnowsWhatWasNotSent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + l.Addr().String()
	_ = l.Close()
	silent, _ := rawServer(t, func(c net.Conn, _ *atomic.Int32) { _, _ = io.Copy(io.Discard, c) })
	hangingUp, _ := rawServer(t, func(c net.Conn, n *atomic.Int32) { readRequest(bufio.NewReader(c), n) })
	halfway, _ := rawServer(t, func(c net.Conn, n *atomic.Int32) {
		readRequest(bufio.NewReader(c), n)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")
	})
	noHTTP, _ := rawServer(t, func(c net.Conn, n *atomic.Int32) {
		readRequest(bufio.NewReader(c), n)
		_, _ = io.WriteString(c, "SSH-2.0-nonsense\r\n")
	})
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()

	cases := []struct {
		name    string
		ctx     context.Context
		rt      http.RoundTripper
		url     string
		timeout time.Duration
		notSent bool
	}{
		{"connection refused", t.Context(), nil, refusing, long, true},
		{"cancelled before", cancelled, nil, plain.URL, long, true},
		{"cancelled before, foreign transport", cancelled, failing{}, plain.URL, long, true},
		{"TLS handshake fails", t.Context(), nil, strings.Replace(plain.URL, "http:", "https:", 1), long, true},
		{"hang-up after the request", t.Context(), nil, hangingUp, long, false},
		{"answer breaks off", t.Context(), nil, halfway, long, false},
		{"no HTTP", t.Context(), nil, noHTTP, long, false},
		{"no answer in time", t.Context(), nil, silent, 50 * time.Millisecond, false},
		{"transport of Go's own", t.Context(), &http.Transport{}, hangingUp, long, false},
		{"transport that tells nothing", t.Context(), failing{}, plain.URL, long, false},
		{"wrapped transport", t.Context(), wrapped{transport(t)}, refusing, long, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rt := c.rt
			if rt == nil {
				rt = transport(t)
			}
			_, err := Do(c.ctx, rt, request(t, "POST", c.url+"/?secret=value", "body"), c.timeout)
			if err == nil {
				t.Fatal("no error")
			}
			if got := NotSent(err); got != c.notSent {
				t.Errorf("NotSent(%v) = %v, want %v", err, got, c.notSent)
			}
			if strings.Contains(err.Error(), "secret=value") {
				t.Errorf("the error shows the URL: %v", err)
			}
		})
	}
}

// failing is a round tripper that says nothing of its connections.
type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("broken") }

// wrapped hides what it wraps, as instrumentation does.
type wrapped struct{ http.RoundTripper }

func TestDoNamesTheTimeout(t *testing.T) {
	t.Parallel()
	url, _ := rawServer(t, func(c net.Conn, _ *atomic.Int32) { _, _ = io.Copy(io.Discard, c) })
	_, err := Do(t.Context(), transport(t), request(t, "GET", url, ""), 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "no answer within 50ms") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestDoBoundsTheAnswer(t *testing.T) {
	t.Parallel()
	size := MaxAnswer
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, size))
	}))
	defer s.Close()
	if a, err := Do(t.Context(), transport(t), request(t, "GET", s.URL, ""), long); err != nil || len(a.Body) != MaxAnswer {
		t.Errorf("an answer of the greatest size: %d bytes, %v", len(a.Body), err)
	}
	size++
	if _, err := Do(t.Context(), transport(t), request(t, "GET", s.URL, ""), long); !errors.Is(err, ErrTooLong) {
		t.Errorf("one byte more: %v", err)
	}
}

// A connection that dies under a second request must not make the transport
// send that request again, not even a look-up.
func TestDoNeverSendsTwice(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST", "PUT"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			url, requests := rawServer(t, func(c net.Conn, n *atomic.Int32) {
				r := bufio.NewReader(c)
				if readRequest(r, n) {
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					readRequest(r, n)
				}
			})
			body := ""
			if method != "GET" {
				body = "body"
			}
			rt := transport(t)
			if _, err := Do(t.Context(), rt, request(t, method, url, body), long); err != nil {
				t.Fatal(err)
			}
			second := request(t, method, url, body)
			// With this header Go's transport repeats any method if it can.
			second.Header.Set("Idempotency-Key", "1")
			if _, err := Do(t.Context(), rt, second, long); err == nil || NotSent(err) {
				t.Errorf("error %v, want one that does not claim that nothing was sent", err)
			}
			if n := requests.Load(); n != 2 {
				t.Errorf("the server read %d requests, want 2", n)
			}
		})
	}
}

func TestCountedBelowTLS(t *testing.T) {
	t.Parallel()
	c := &countedConn{}
	if counted(tls.Client(c, &tls.Config{})) != c || counted(c) != c {
		t.Error("our connection was not found")
	}
	if counted(&net.TCPConn{}) != nil {
		t.Error("a foreign connection was taken for ours")
	}
}

func TestSealedRequestCannotLeave(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	defer server.Close()
	defer client.Close()
	c := &countedConn{Conn: client}
	var l latch
	c.watch(&l)
	if !l.seal() {
		t.Fatal("nothing was written, yet it counts as sent")
	}
	_ = client.SetWriteDeadline(time.Now().Add(time.Second))
	if n, err := c.Write([]byte("late")); n != 0 || !errors.Is(err, errSealed) {
		t.Errorf("a late write gave %d, %v", n, err)
	}
	var next latch
	c.watch(&next)
	go func() { _, _ = io.Copy(io.Discard, server) }()
	_ = client.SetWriteDeadline(time.Time{})
	for range 2 {
		if _, err := c.Write([]byte("next")); err != nil {
			t.Errorf("the next request cannot write: %v", err)
		}
	}
	if next.seal() {
		t.Error("a written request counts as not sent")
	}
}

// noted is a flight that was followed.
type noted struct {
	leaving, left, over, answered time.Time
	pieces                        int
}

func (f *noted) Leaving()          { f.leaving = time.Now() }
func (f *noted) Left(at time.Time) { f.left, f.pieces = at, f.pieces+1 }
func (f *noted) Over(a time.Time)  { f.over, f.answered = time.Now(), a }

// Whoever follows a request learns when it has left, which is before it can be answered.
func TestFlightIsFollowed(t *testing.T) {
	t.Parallel()
	var arrived time.Time
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived = time.Now() }))
	defer srv.Close()
	rt := transport(t)
	rt.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig
	for range 2 { // over a new connection, then over the same
		var f noted
		before := time.Now()
		if _, err := Do(vendors.WithFlight(t.Context(), &f), rt, request(t, "POST", srv.URL, "{}"), long); err != nil {
			t.Fatal(err)
		}
		order := []time.Time{before, f.leaving, f.left, f.answered, f.over}
		for i, at := range order[1:] {
			if at.Before(order[i]) {
				t.Errorf("out of order: %+v", f)
			}
		}
		if f.pieces == 0 || arrived.After(f.answered) || arrived.Before(f.leaving) {
			t.Errorf("arrived at %v: %+v", arrived, f)
		}
	}
	srv.Close()
	var f noted
	if _, err := Do(vendors.WithFlight(t.Context(), &f), transport(t), request(t, "POST", srv.URL, "{}"), long); !NotSent(err) {
		t.Fatalf("nobody listens: %v", err)
	}
	if f.leaving.IsZero() || f.over.IsZero() || f.pieces != 0 || !f.answered.IsZero() {
		t.Errorf("a request that never left: %+v", f)
	}
}
