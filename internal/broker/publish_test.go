package broker

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestPublishForAnUnknownAccount(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	m := Outgoing{Subject: "sluice.commands.volcengine.stranger.cn-beijing.restart.normal"}
	if err := c.Publish(testContext(t), m); !errors.Is(err, ErrNoStream) || !strings.Contains(err.Error(), m.Subject) {
		t.Errorf("got %v", err)
	}
}

func TestFullStreamsAreNamed(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	limitBytes(t, c, "SLUICE_COMMANDS", 2000)
	limitBytes(t, c, "KV_sluice_ledger", 2000)
	var err error
	for range 100 {
		m := Outgoing{Subject: laneSubject("restart", "normal"), Data: make([]byte, 100)}
		if err = c.Publish(testContext(t), m); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "SLUICE_COMMANDS") {
		t.Errorf("commands: got %v", err)
	}
	if _, err := c.Ledger().Create(testContext(t), "op.a", make([]byte, 3000)); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "KV_sluice_ledger") {
		t.Errorf("ledger: got %v", err)
	}
}

func TestStoreError(t *testing.T) {
	t.Parallel()
	api := func(code jetstream.ErrorCode, text string) error {
		return &jetstream.APIError{ErrorCode: code, Description: text}
	}
	tests := []struct {
		name string
		err  error
		want error // nil: none of those below, outcome unknown
	}{
		{"wrong sequence", api(10071, "wrong last sequence: 3"), ErrConflict},
		{"wrong sequence in a cluster", api(10164, "wrong last sequence"), ErrConflict},
		{"stream limit", api(10077, "maximum bytes exceeded"), ErrFull},
		{"disk full", api(10077, "write: no space left on device"), ErrFull},
		{"disk broken", api(10077, "write: input/output error"), nil},
		{"insufficient resources", api(10023, "insufficient resources"), ErrFull},
		{"account storage", api(10047, "insufficient storage resources available"), ErrFull},
		{"account limit", api(10002, "resource limits exceeded for account"), ErrFull},
		{"nobody there", jetstream.ErrNoStreamResponse, ErrNoStream},
		{"timed out", context.DeadlineExceeded, nil},
		{"disconnected", nats.ErrConnectionReconnecting, nil},
	}
	for _, tt := range tests {
		got := storeError("S", tt.err)
		for _, kind := range []error{ErrConflict, ErrFull, ErrNoStream} {
			if errors.Is(got, kind) != (kind == tt.want) {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
			}
		}
		if tt.want == nil && !errors.Is(got, tt.err) {
			t.Errorf("%s: %v does not wrap its cause", tt.name, got)
		}
	}
}

func TestFirstTakesWhatNoLaneServes(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	ctx := testContext(t)
	subject := "sluice.commands.volcengine.prod.nowhere.restart.normal"
	if _, err := c.First(ctx, subject); !errors.Is(err, ErrNotFound) {
		t.Fatalf("first of nothing: %v", err)
	}
	send(t, c, 1)
	for _, text := range []string{"a", "b"} {
		m := Outgoing{Subject: subject, Header: Header{"Ce-Id": {text}}, Data: []byte(text)}
		if err := c.Publish(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"a", "b"} {
		m, err := c.First(ctx, subject)
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Data()) != text || m.Header()["Ce-Id"][0] != text || m.Subject() != subject || m.Deliveries() != 1 || m.Received().IsZero() {
			t.Errorf("got %s %v %s", m.Data(), m.Header(), m.Subject())
		}
		if err := errors.Join(m.InProgress(), m.Nak(0), m.Ack(ctx), m.Ack(ctx)); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.First(ctx, subject); !errors.Is(err, ErrNotFound) {
		t.Errorf("after both were acknowledged: %v", err)
	}
	waiting, err := c.Waiting(ctx)
	if err != nil || len(waiting) != 1 || waiting[laneSubject("restart", "normal")] != 1 {
		t.Errorf("waiting %v, error %v; want the other lane's alone", waiting, err)
	}
}
