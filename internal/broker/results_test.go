package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func publishResult(t *testing.T, c *Conn, status, text string) {
	t.Helper()
	subject := "sluice.results.volcengine.prod.cn-beijing.restart." + status
	if err := c.Publish(testContext(t), Outgoing{Subject: subject, Header: Header{"Sluice-Token-Key": {text}}, Data: []byte(text)}); err != nil {
		t.Fatal(err)
	}
}

func nextResult(t *testing.T, results <-chan ResultMessage) ResultMessage {
	t.Helper()
	select {
	case r, open := <-results:
		if !open {
			t.Fatal("the results ended")
		}
		return r
	case <-time.After(patience):
		t.Fatal("no result came")
	}
	return ResultMessage{}
}

func TestResults(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	publishResult(t, c, "accepted", "old-accepted")
	publishResult(t, c, "succeeded", "old-succeeded")
	start := time.Now()
	tests := []struct {
		name   string
		filter ResultFilter
		want   []string
	}{
		{"all", ResultFilter{}, []string{"old-accepted", "old-succeeded", "new"}},
		{"since", ResultFilter{Since: time.Hour}, []string{"old-accepted", "old-succeeded", "new"}},
		{"start", ResultFilter{Start: start}, []string{"new"}},
		{"filtered", ResultFilter{Subject: "sluice.results.*.*.*.*.succeeded"}, []string{"old-succeeded", "new"}},
		{"new", ResultFilter{New: true}, []string{"new"}},
	}
	ctx, cancel := context.WithCancel(testContext(t))
	channels := make([]<-chan ResultMessage, len(tests))
	for i, tt := range tests {
		var err error
		if channels[i], err = c.Results(ctx, tt.filter); err != nil {
			t.Fatal(err)
		}
	}
	publishResult(t, c, "succeeded", "new")
	for i, tt := range tests {
		for _, want := range tt.want {
			r := nextResult(t, channels[i])
			if string(r.Data) != want || r.Header["Sluice-Token-Key"][0] != want || r.Sequence == 0 || r.Time.IsZero() || r.Subject == "" {
				t.Errorf("%s: got %s %+v, want %s", tt.name, r.Data, r, want)
			}
		}
	}
	cancel()
	for i, tt := range tests {
		if r, open := <-channels[i]; open {
			t.Errorf("%s: got %s too many", tt.name, r.Data)
		}
	}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	c := setUp(t)
	ctx := testContext(t)
	if got, err := c.DeadLetters(ctx, 10); err != nil || len(got) != 0 {
		t.Fatalf("got %v, error %v", got, err)
	}
	for i := 1; i <= 5; i++ {
		m := Outgoing{Subject: "sluice.deadletters.not_cloudevent", Header: Header{"Sluice-Reason": {"r"}}, Data: fmt.Append(nil, i)}
		if err := c.Publish(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.remove(ctx, c.names.deadLetters, 4); err != nil {
		t.Fatal(err)
	}
	got, err := c.DeadLetters(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	var sequences []uint64
	for _, d := range got {
		sequences = append(sequences, d.Sequence)
	}
	if fmt.Sprint(sequences) != "[2 3 5]" {
		t.Errorf("the newest three are %v", sequences)
	}
	d, err := c.DeadLetter(ctx, 2)
	if err != nil || string(d.Data) != "2" || d.Header["Sluice-Reason"][0] != "r" || d.Subject != "sluice.deadletters.not_cloudevent" || d.Time.IsZero() {
		t.Errorf("got %+v, error %v", d, err)
	}
	if _, err := c.DeadLetter(ctx, 4); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted dead letter: %v", err)
	}
}
