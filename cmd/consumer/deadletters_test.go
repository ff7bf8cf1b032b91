package main

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/broker"
)

// bury stores a dead letter as the engine does.
func (b *testBroker) bury(data string, header broker.Header) {
	b.t.Helper()
	err := b.conn.Publish(b.t.Context(), broker.Outgoing{Subject: "sluice.deadletters.not_cloudevent", ID: "dl-" + data, Header: header, Data: []byte(data)})
	if err != nil {
		b.t.Fatal(err)
	}
}

// buried is what the engine adds to the headers of a dead letter.
func buried(detail, subject string) broker.Header {
	return broker.Header{
		"Content-Type": {"text/plain"}, "Sluice-Reason": {"not_cloudevent"}, "Sluice-Detail": {detail}, "Sluice-Subject": {subject},
	}
}

func TestDeadLettersList(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	list := []string{"deadletters", "list", "--nats-url", b.url}
	consumerWith(t, "", list...).want(t, exitOK, "no dead letters\n")
	b.bury("hello", buried("the event is no JSON object", "sluice.intake"))
	b.bury("hey", buried("it says\x1b[2J hey", prodRestartSubject))

	got := consumerWith(t, "", list...)
	got.out = regexp.MustCompile(`\d{4}-\S+Z`).ReplaceAllString(got.out, "2026-01-02T03:04:05.000Z")
	got.want(t, exitOK, ""+
		"ID  TIME                      REASON          SUBJECT                                                    BYTES  DETAIL\n"+
		"1   2026-01-02T03:04:05.000Z  not_cloudevent  sluice.intake                                              5      the event is no JSON object\n"+
		"2   2026-01-02T03:04:05.000Z  not_cloudevent  sluice.commands.volcengine.prod.cn-beijing.restart.normal  3      it says [2J hey\n")

	last := consumerWith(t, "", append(list, "--limit", "1", "--output", "json")...)
	var d deadLetter
	if err := json.Unmarshal([]byte(last.out), &d); err != nil {
		t.Fatalf("%v: %s", err, last.out)
	}
	if d.ID != 2 || d.Reason != "not_cloudevent" || d.Bytes != 3 || string(d.Data) != "hey" || d.Subject != prodRestartSubject {
		t.Errorf("dead letter %+v", d)
	}
	consumerWith(t, "", append(list, "--limit", "0")...).want(t, exitUsage, "", "--limit is 0")
	consumerWith(t, "", "deadletters", "lst").want(t, exitUsage, "", `unknown command "lst"; did you mean list?`)
}

func TestDeadLettersRedrive(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	b.bury("again", buried("no", "sluice.intake"))
	b.bury("nowhere", broker.Header{"Sluice-Reason": {"not_cloudevent"}})
	redrive := []string{"deadletters", "redrive", "--nats-url", b.url}

	again := "1  published again on sluice.intake; it is a command like any other now, and its copy here ages out\n"
	consumerWith(t, "", append(redrive, "1")...).want(t, exitOK, again)
	consumerWith(t, "", append(redrive, "9", "1", "2")...).want(t, exitFailure, again,
		"dead letter 9 was not published again: there is none with this id", "dead letter 2 was not published again: it has no header Sluice-Subject")
	consumerWith(t, "", append(redrive, "first")...).want(t, exitUsage, "", `"first" is no id`)
	consumerWith(t, "", redrive...).want(t, exitUsage, "", "needs the id of a dead letter")

	queue, err := b.conn.IntakeQueue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var messages []broker.Message
	for len(messages) < 2 && ctx.Err() == nil {
		got, err := queue.Fetch(ctx, 2, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, got...)
	}
	if len(messages) != 2 {
		t.Fatalf("%d messages on the intake, want 2: a second redrive counts too", len(messages))
	}
	for _, m := range messages {
		var names []string
		for name := range m.Header() {
			names = append(names, strings.ToLower(name))
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == "nats-msg-id" })
		if string(m.Data()) != "again" || !slices.Equal(names, []string{"content-type"}) {
			t.Errorf("message %q with headers %v, want %q with its content type alone", m.Data(), m.Header(), "again")
		}
	}
}
