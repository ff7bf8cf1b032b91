package broker

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// silent is a subject whose listener never answers; asked tells of each request.
func silent(t *testing.T, c *Conn) (subject string, asked chan *nats.Msg) {
	t.Helper()
	asked = make(chan *nats.Msg, 10)
	if _, err := c.nc.ChanSubscribe("silent", asked); err != nil {
		t.Fatal(err)
	}
	return "silent", asked
}

func openRequests(c *Conn) int {
	c.requests.mu.Lock()
	defer c.requests.mu.Unlock()
	return len(c.requests.open)
}

func TestRequestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := testConnect(t, testOptions(testServer(t, ServerOptions{})))
	subject, asked := silent(t, c)
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error)
	go func() {
		_, err := c.requests.do(ctx, &nats.Msg{Subject: subject})
		done <- err
	}()
	late := <-asked
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := openRequests(c); n != 0 {
		t.Errorf("%d requests are open", n)
	}
	if _, err := c.requests.do(ctx, &nats.Msg{Subject: subject}); !errors.Is(err, context.Canceled) || len(asked) > 0 {
		t.Errorf("a request under an ended context: %v", err)
	}
	// An answer that comes too late is nobody's.
	if err := late.Respond([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if m, err := c.requests.do(testContext(t), &nats.Msg{Subject: "$JS.API.INFO"}); err != nil || string(m.Data) == "late" {
		t.Errorf("got %v, error %v", m, err)
	}
}

func TestRequestToNobody(t *testing.T) {
	t.Parallel()
	c := testConnect(t, testOptions(testServer(t, ServerOptions{})))
	if _, err := c.requests.do(testContext(t), &nats.Msg{Subject: "nobody"}); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("got %v", err)
	}
}

func TestRequestsEndWithTheConnection(t *testing.T) {
	t.Parallel()
	c := testConnect(t, testOptions(testServer(t, ServerOptions{})))
	subject, asked := silent(t, c)
	for _, end := range []struct {
		with func()
		want error
	}{
		{func() {
			if err := c.nc.ForceReconnect(); err != nil {
				t.Error(err)
			}
		}, errLost},
		{c.Close, nats.ErrConnectionClosed},
	} {
		eventually(t, "the connection stands", c.Connected)
		done := make(chan error)
		go func() {
			_, err := c.requests.do(context.Background(), &nats.Msg{Subject: subject})
			done <- err
		}()
		<-asked
		end.with()
		if err := <-done; !errors.Is(err, end.want) {
			t.Errorf("got %v, want %v", err, end.want)
		}
	}
	if _, err := c.requests.do(context.Background(), &nats.Msg{Subject: subject}); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestOverdueRequestsAreGivenUp(t *testing.T) {
	t.Parallel()
	r := newRequests()
	r.sweeping = true // no timer: the sweeps are ours
	limited, unlimited := &waiter{done: make(chan answer, 1)}, &waiter{done: make(chan answer, 1)}
	_, _ = r.add(limited, "s", true)
	token, _ := r.add(unlimited, "s", false)
	for range sweepLimit - 1 {
		r.sweep()
	}
	if len(limited.done) > 0 {
		t.Fatal("given up too early")
	}
	r.sweep()
	if got := <-limited.done; !errors.Is(got.err, context.DeadlineExceeded) {
		t.Errorf("got %v", got.err)
	}
	if _, open := r.take(token); !open || len(unlimited.done) > 0 {
		t.Error("a request was given up whose context limits it")
	}
}

func TestReadAck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		seq  uint64
		err  error
	}{
		{`{"stream":"S","seq":7}`, 7, nil},
		{`{"stream":"S", "seq": 7}`, 7, nil},
		{`{"stream":"S","seq":7,"duplicate":true}`, 7, nil},
		{`{"stream":"S","domain":"d","seq":18446744073709551615}`, 18446744073709551615, nil},
		{`{"seq":7,"stream":"S"}`, 7, nil},
		{`{"stream":"S","seq":9,"batch":"b","count":2}`, 9, nil},
		{`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"S","seq":0}`, 0,
			&jetstream.APIError{ErrorCode: jetstream.JSErrCodeStreamWrongLastSequence}},
		{`{"stream":"S","seq":7`, 0, jetstream.ErrInvalidJSAck},
		{`{"stream":"","seq":7}`, 0, jetstream.ErrInvalidJSAck},
		{`{"seq":7}`, 0, jetstream.ErrInvalidJSAck},
		{``, 0, jetstream.ErrInvalidJSAck},
		{`+OK`, 0, jetstream.ErrInvalidJSAck},
	}
	for _, tt := range tests {
		seq, err := readAck([]byte(tt.text))
		if !errors.Is(err, tt.err) || (tt.err == nil && seq != tt.seq) {
			t.Errorf("%s: %d, %v; want %d, %v", tt.text, seq, err, tt.seq, tt.err)
		}
	}
}
