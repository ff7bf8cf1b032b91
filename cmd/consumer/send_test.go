package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/events"
)

var prodRestart = events.Lane{Vendor: "volcengine", Account: "prod", Region: "cn-beijing", Operation: "restart", Priority: "normal"}

const prodRestartSubject = "sluice.commands.volcengine.prod.cn-beijing.restart.normal"

// sendArgs is a send to the lane above.
func sendArgs(b *testBroker, more ...string) []string {
	return append([]string{"send", "--vendor", "volcengine", "--account", "prod", "--region", "cn-beijing", "--nats-url", b.url}, more...)
}

// finished is a result with times that do not depend on the clock.
func finished(c events.Command, status string) events.Result {
	received := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := c.NewResult(status)
	r.Attempts = 1
	r.Times = events.Times{
		Received: events.At(received), Started: events.At(received.Add(250 * time.Millisecond)), Finished: events.At(received.Add(1500 * time.Millisecond)),
	}
	return r
}

func TestSendStores(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	consumerWith(t, "", sendArgs(b, "restart", "redis-1", "--token", "T")...).want(t, exitOK, "stored         redis-1  token T\n")
	consumerWith(t, "", sendArgs(b, "restart", "redis-1", "redis-2", "--token", "T")...).want(t, exitOK,
		"stored         redis-1  token T/redis-1\nstored         redis-2  token T/redis-2\n")
	consumerWith(t, "redis-3\n\n  redis-3\n", sendArgs(b, "restart", "-", "--token", "T")...).want(t, exitOK,
		"stored         redis-3  token T/redis-3\n", "redis-3 is named more than once")
	random := consumerWith(t, "", sendArgs(b, "restart", "redis-4")...)
	if !regexp.MustCompile(`^stored         redis-4  token send-[0-9A-Za-z]{22}\n$`).MatchString(random.out) {
		t.Errorf("without --token: %q", random.out)
	}
	if n := b.stored(prodRestartSubject); n != 5 {
		t.Errorf("%d commands are stored, want 5", n)
	}
	consumerWith(t, "", sendArgs(b, "restart", "redis-5", "--intake", "--token", "T5")...).want(t, exitOK, "stored         redis-5  token T5\n")
	if n := b.stored("sluice.intake"); n != 1 {
		t.Errorf("%d commands are stored on the intake, want 1", n)
	}
}

func TestSendJSONWithoutWait(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	got := consumerWith(t, "", sendArgs(b, "restart", "redis-1", "--token", "T", "-o", "json", "--source", "/here", "--priority", "urgent")...)
	var ack acknowledgement
	if err := json.Unmarshal([]byte(got.out), &ack); err != nil || got.code != exitOK {
		t.Fatalf("exit %d, %v: %s%s", got.code, err, got.out, got.err)
	}
	want := acknowledgement{"redis-1", "T", "/here", ack.ID, "sluice.commands.volcengine.prod.cn-beijing.restart.urgent"}
	if ack != want || ack.ID == "" {
		t.Errorf("got %+v, want %+v", ack, want)
	}
}

func TestSendRefusesWrongUsage(t *testing.T) {
	t.Parallel()
	where := []string{"--vendor", "volcengine", "--account", "prod", "--region", "cn-beijing"}
	for _, test := range []struct {
		name, in string
		args     []string
		say      string
	}{
		{"no arguments", "", nil, "needs an operation and at least one instance"},
		{"no instance", "", []string{"restart"}, "needs an operation and at least one instance"},
		{"no vendor", "", []string{"restart", "i", "--account", "a", "--region", "r"}, "needs --vendor, --account and --region"},
		{"operation", "", append([]string{"reboot", "i"}, where...), `operation "reboot" is not known; it is one of restart, soft_restart, flush, restore`},
		{"priority", "", append([]string{"restart", "i", "--priority", "asap"}, where...), `--priority "asap" is not known; it is one of urgent, normal, bulk`},
		{"output", "", append([]string{"restart", "i", "--output", "xml"}, where...), `--output is "xml"`},
		{"flag", "", append([]string{"restart", "i", "--what"}, where...), "unknown flag: --what"},
		{"duration", "", append([]string{"restart", "i", "--expires", "soon"}, where...), "--expires"},
		{"past expiry", "", append([]string{"restart", "i", "--expires", "-1m"}, where...), "--expires is -1m0s"},
		{"timeout alone", "", append([]string{"restart", "i", "--timeout", "1m"}, where...), "add --wait"},
		{"time point", "", append([]string{"restore", "i", "--time-point", "yesterday"}, where...), `--time-point "yesterday"`},
		{"two passwords", "", append([]string{"flush", "i", "--password-ref", "a", "--password-sealed", "b"}, where...), "one password is enough"},
		{"account in two parts", "", []string{"restart", "i", "--vendor", "huawei", "--account", "a.b", "--region", "r"}, `--account is "a.b"`},
		{"empty list", "\n", append([]string{"restart", "-"}, where...), "standard input names no instance"},
		{"long token", "", append([]string{"restart", "i", "--token", strings.Repeat("t", 128)}, where...), "i: invalid_data: /clientToken"},
		{"restore of nothing", "", append([]string{"restore", "i"}, where...), "i: invalid_data: /parameters"},
		{"one of two", strings.Repeat("i", 129) + "\nok\n", append([]string{"restart", "-"}, where...), "invalid_data: /instanceId"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// Nothing listens there: wrong usage is found before anything is asked.
			args := append([]string{"send", "--nats-url", "nats://127.0.0.1:1"}, test.args...)
			consumerWith(t, test.in, args...).want(t, exitUsage, "", test.say)
		})
	}
}

func TestSendToNobody(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	args := []string{"send", "restart", "i-1", "i-2", "--nats-url", b.url, "--vendor", "volcengine", "--account", "other", "--region", "cn-beijing"}
	consumerWith(t, "", args...).want(t, exitFailure, "", `takes commands for account "other" of vendor "volcengine"`)
	consumerWith(t, "", append(args, "--wait")...).want(t, exitFailure, "", `account "other"`)
	consumerWith(t, "", append(args, "--intake", "--prefix", "unknown")...).want(t, exitFailure, "", "nobody takes unknown.intake")
}

func TestSendWaits(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	b.answer(prodRestart, func(c events.Command) []events.Result {
		// Somebody else's answer to the same work is not ours to print.
		foreign := c
		foreign.Event.ID = "foreign-" + c.Event.ID
		b.publish(foreign, finished(foreign, events.Rejected))
		switch c.InstanceID {
		case "redis-bad":
			r := finished(c, events.Failed)
			r.Reason = &events.Reason{Code: events.ReasonInstanceState, Message: "it is\x1b[2J creating: try later", Hint: "wait for it"}
			r.VendorResponse = &events.VendorResponse{HTTPStatus: 400, Code: "InvalidStatus", Message: "try later", RequestID: "req-1"}
			return []events.Result{r}
		case "redis-dry":
			r := finished(c, events.Succeeded)
			r.Times.Started = nil
			r.Plan = &events.Plan{Action: "RestartDBInstance", Endpoint: "POST https://x/", Request: map[string]any{"InstanceId": "redis-dry"}}
			return []events.Result{r}
		}
		r := finished(c, events.Succeeded)
		r.VendorResponse = &events.VendorResponse{HTTPStatus: 200, RequestID: "req-2", TaskID: "t-1"}
		return []events.Result{c.NewResult(events.Accepted), r}
	})
	consumerWith(t, "", sendArgs(b, "restart", "redis-1", "--wait", "--timeout", "1m", "--token", "A b")...).want(t, exitOK,
		"stored         redis-1  token 'A b'\nsucceeded      redis-1  in 1.5s (waited 250ms)  vendor: HTTP 200, request req-2, task t-1\n")
	consumerWith(t, "", sendArgs(b, "restart", "redis-bad", "--wait", "--token", "B", "--timeout", "1m")...).want(t, exitFailure,
		"stored         redis-bad  token B\n"+
			"failed         redis-bad  in 1.5s (waited 250ms)  instance_state: it is [2J creating: try later  vendor: HTTP 400 InvalidStatus, request req-1  hint: wait for it\n")
	consumerWith(t, "", sendArgs(b, "restart", "redis-dry", "--dry-run", "--wait", "--timeout", "1m", "--token", "C")...).want(t, exitOK,
		"stored         redis-dry  token C\n"+
			`succeeded      redis-dry  in 1.5s  (dry run)  would call RestartDBInstance: POST https://x/ {"InstanceId":"redis-dry"}`+"\n")

	mixed := consumerWith(t, "redis-bad\nredis-2\n", sendArgs(b, "-w", "--timeout", "1m", "-o", "json", "restart", "-", "--token", "D", "--correlation-id", "job-7")...)
	if mixed.code != exitFailure || mixed.err != "" {
		t.Errorf("exit code %d, want %d\n%s", mixed.code, exitFailure, mixed.err)
	}
	var got []string
	for line := range strings.Lines(mixed.out) {
		e, err := events.DecodeResult([]byte(line))
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		got = append(got, e.Data.Status+" "+e.Data.ClientToken+" "+e.CorrelationID)
	}
	slices.Sort(got)
	want := []string{"accepted D/redis-2 job-7", "failed D/redis-bad job-7", "succeeded D/redis-2 job-7"}
	if !slices.Equal(got, want) {
		t.Errorf("results %q, want %q", got, want)
	}
}

func TestSendTimesOut(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	b.answer(prodRestart, func(c events.Command) []events.Result {
		if c.InstanceID == "redis-1" {
			return []events.Result{finished(c, events.Succeeded)}
		}
		return []events.Result{c.NewResult(events.Accepted)}
	})
	got := consumerWith(t, "", sendArgs(b, "restart", "redis-1", "redis-2", "--wait", "--token", "T", "--timeout", "700ms", "-o", "json")...)
	if got.code != exitFailure {
		t.Errorf("exit code %d, want %d", got.code, exitFailure)
	}
	for _, part := range []string{"no final result within 700ms", "still open:\n  redis-2: consumer status T/redis-2\n"} {
		if !strings.Contains(got.err, part) {
			t.Errorf("standard error:\n%s\nlacks %q", got.err, part)
		}
	}
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a/b-1": "a/b-1", "a b": "'a b'", "": "''", "it's $x": `'it'\''s $x'`} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}
