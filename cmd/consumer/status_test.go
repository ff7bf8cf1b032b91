package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/ledger"
)

// storyRecord has something in every field that status shows.
func storyRecord(t *testing.T) ledger.Record {
	t.Helper()
	at := func(seconds int) time.Time { return time.Date(2026, 1, 2, 3, 4, seconds, 0, time.UTC) }
	command, err := json.Marshal(events.Command{
		Event: events.Ref{ID: "e-1", Source: "/bot"}, Token: "T 1", Vendor: "volcengine", Account: "prod", Region: "cn-beijing",
		Operation: "restart", InstanceID: "redis-1", Priority: "urgent", Received: at(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Record{
		Token: "T 1", Command: command, Started: at(2), Attempts: 3,
		History: []ledger.Attempt{
			{N: 2, SignedAt: at(2), Replica: "host-a", Verdict: "ambiguous", Answered: at(5), Baseline: json.RawMessage(`{"status":"Running"}`), Finding: &ledger.Finding{Conclusion: "not_run", Evidence: "no task since", Looks: 4, Replica: "host-b", At: at(6)}, Answer: json.RawMessage(`{"httpStatus":502,"requestId":"r-1"}`)},
			{N: 3, SignedAt: at(6), Replica: "host-b"},
		},
		Task: json.RawMessage(`{"id":"task-9"}`), AcceptedAt: at(7),
		Outcome: &ledger.Outcome{Status: "failed", Code: "task_failed", Message: "the task failed", Hint: "look there", Finished: at(9), Answer: json.RawMessage(`{"code":"E1"}`)},
	}
}

const storyText = `token      T 1
state      final: the outcome stands
command    restart redis-1 at volcengine/prod/cn-beijing, priority urgent
event      e-1 from /bot
received   2026-01-02T03:04:01.000Z
started    2026-01-02T03:04:02.000Z
attempts   3, the last 2 are kept
attempt 2  signed 2026-01-02T03:04:02.000Z by host-a
           ambiguous after 3s
           vendor: HTTP 502, request r-1
           found: it did not run, by 4 looks until 2026-01-02T03:04:06.000Z by host-b
           compared with: {"status":"Running"}
           evidence: no task since
attempt 3  signed 2026-01-02T03:04:06.000Z by host-b
           no answer is recorded
accepted   2026-01-02T03:04:07.000Z, task task-9
finished   2026-01-02T03:04:09.000Z
outcome    failed
reason     task_failed: the task failed
vendor     E1
hint       look there
`

func TestStatus(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	entry, _, err := ledger.Open(b.conn.Ledger(), "test").Claim(t.Context(), events.TokenKey("T 1"), "event", storyRecord(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := entry.Save(t.Context(), func(r *ledger.Record) { r.State = ledger.Final }); err != nil {
		t.Fatal(err)
	}
	consumerWith(t, "", "status", "T 1", "--nats-url", b.url).want(t, exitOK, storyText)

	got := consumerWith(t, "", "status", "-o", "json", "T 1", "--nats-url", b.url)
	var record ledger.Record
	if err := json.Unmarshal([]byte(got.out), &record); err != nil || got.code != exitOK {
		t.Fatalf("exit %d, %v: %s%s", got.code, err, got.out, got.err)
	}
	if record.Token != "T 1" || record.State != ledger.Final || len(record.History) != 2 {
		t.Errorf("record %+v", record)
	}

	consumerWith(t, "", "status", "t 1", "--nats-url", b.url).want(t, exitFailure, "", `token "t 1" is unknown to the ledger`)
	consumerWith(t, "", "status", "--nats-url", b.url).want(t, exitUsage, "", "needs one clientToken")
	consumerWith(t, "", "status", "T", "--prefix", "unknown", "--nats-url", b.url).want(t, exitFailure, "", `prefix "unknown"`)
}
