package intake

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
	"github.com/seed-7b870224/sluice/internal/events"
)

// What the intake stores is proven to every replica; whatever is changed of it is not.
func TestProof(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.post("/v1/commands", structured("a", "restart", restartData), "Content-Type", structuredType)
	m, env := r.first(lanePrefix + "restart.normal")
	proof := events.Header(m.Header(), events.HeaderProof)
	verifier := NewVerifier(r.conn.Ledger())
	other := env
	other.Extensions = map[string]string{events.ExtensionPublisher: "alerts"}
	moved := env
	moved.ID = "b"
	header := func(proof string) broker.Header { return broker.Header{"sluice-intake-proof": {proof}} }
	for name, c := range map[string]struct {
		env   events.Envelope
		proof string
		data  string
		want  bool
	}{
		"as stored":         {env, proof, string(m.Data()), true},
		"another publisher": {other, proof, string(m.Data()), false},
		"another event":     {moved, proof, string(m.Data()), false},
		"other content":     {env, proof, strings.Replace(string(m.Data()), "redis-1", "redis-2", 1), false},
		"no proof":          {env, "", string(m.Data()), false},
		"nonsense":          {env, "intake.>", string(m.Data()), false},
		"unknown key":       {env, strings.Repeat("a", 26) + proof[26:], string(m.Data()), false},
		"another signature": {env, proof[:27] + base64.RawURLEncoding.EncodeToString(make([]byte, 64)), string(m.Data()), false},
	} {
		if got := verifier.Verify(c.env, header(c.proof), []byte(c.data)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A key in the bucket under another key's name proves nothing.
func TestKeyUnderAnotherName(t *testing.T) {
	t.Parallel()
	_, conn := newBroker(t)
	mine, err := NewSigner(conn.Ledger(), time.Hour, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("b", 26)
	if _, err := conn.Ledger().Create(testContext(t), keyPrefix+id, []byte(base64.StdEncoding.EncodeToString(mine.public))); err != nil {
		t.Fatal(err)
	}
	if NewVerifier(conn.Ledger()).key(id) != nil {
		t.Error("the key is taken")
	}
}

// The public key is stored before anything is signed, and stored again in time.
func TestSignerKeepsItsKeyStored(t *testing.T) {
	t.Parallel()
	_, conn := newBroker(t)
	ctx := testContext(t)
	s, err := NewSigner(conn.Ledger(), 200*time.Millisecond, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Sign(nil); ok {
		t.Error("signed with a key that nobody can know")
	}
	changes, err := conn.Ledger().Watch(ctx, keyPrefix+"*")
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(running)
	}()
	for written := 0; written < 3; {
		e, ok := <-changes
		if !ok {
			t.Fatal("the watch ended")
		}
		if e.Key == keyPrefix+s.id {
			written++
		}
	}
	if _, ok := s.Sign(nil); !ok {
		t.Error("still not signing")
	}
	stop()
	<-ended
	// A restart of the loop finds the key that it has written itself.
	if _, err := s.store(ctx, 0); err != nil {
		t.Error(err)
	}
}
