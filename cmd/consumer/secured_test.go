package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-7b870224/sluice/internal/events"
)

// The whole main job under the permissions of the example, and not a refusal in
// anybody's log.
func TestSecuredNATSIsEnough(t *testing.T) {
	t.Parallel()
	s := startSecured(t, nil)
	_, clouds := cloud(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var log logBuffer
	if err := mainJob(ctx, s, clouds, &log); err != nil {
		t.Errorf("%v\nconsumers:\n%s", err, log.String())
	}
	if told := s.told(); len(told) > 0 {
		t.Errorf("the server refused:\n%s", strings.Join(told, "\n"))
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(strings.ToLower(line), "permission") || strings.Contains(line, "not allow") {
			t.Errorf("a consumer says: %s", line)
		}
	}
}

// Every permission that the example gives the consumer is needed: without it the server
// refuses something of the main job.
func TestSecuredNATSIsMinimal(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"publish", "subscribe"} {
		for _, subject := range allowedTo(t, "consumer", list) {
			t.Run(list+" "+subject, func(t *testing.T) {
				t.Parallel()
				s := startSecured(t, func(user string, p *server.Permissions) {
					if user == "consumer" {
						take(p, list, subject)
					}
				})
				s.opts.SyncAlways = false
				_, clouds := cloud(t)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				go func() {
					select {
					case <-s.refused:
						cancel()
					case <-ctx.Done():
					}
				}()
				var log logBuffer
				err := mainJob(ctx, s, clouds, &log)
				select { // the server tells the client before its log
				case <-s.refused:
				case <-time.After(2 * time.Second):
				}
				told := s.told()
				if len(told) == 0 {
					t.Fatalf("nothing was refused without it (the job: %v); take it out of the example", err)
				}
				quoted := regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(told[0], -1)
				if !slices.ContainsFunc(quoted, func(q []string) bool { return subjectMatches(subject, q[1]) }) {
					t.Errorf("something else was refused: %s", told[0])
				}
			})
		}
	}
}

// allowedTo is a list of the file.
func allowedTo(t *testing.T, user, list string) (subjects []string) {
	t.Helper()
	for _, u := range securedOptions(t).Users {
		if u.Username == user {
			subjects = slices.Clone(permissionsOf(u.Permissions, list).Allow)
		}
	}
	if len(subjects) == 0 {
		t.Fatalf("the file allows %s to %s nothing", user, list)
	}
	return subjects
}

func permissionsOf(p *server.Permissions, list string) *server.SubjectPermission {
	if list == "subscribe" {
		return p.Subscribe
	}
	return p.Publish
}

// take removes one permission.
func take(p *server.Permissions, list, subject string) {
	all := permissionsOf(p, list)
	all.Allow = slices.DeleteFunc(all.Allow, func(s string) bool { return s == subject })
}

// mainJob is what the users of the example do all day. It begins with what is rare: an
// account that changes hands, streams that need an update, an upgrade of the server.
func mainJob(ctx context.Context, s *secured, clouds string, log *logBuffer) error {
	serving, err := s.consume(ctx, clouds, log)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer func() { serving.end(ctx) }()
	alerting := s.login("alerting")
	if err := s.play(ctx, ask(alerting, "restart", "redis-a", "--priority", "urgent", "--token", "a")); err != nil {
		return err
	}
	if err := s.neglect(ctx); err != nil {
		return fmt.Errorf("neglect the streams: %w", err)
	}
	second, err := s.consume(ctx, clouds, log)
	if err != nil {
		return fmt.Errorf("start the second: %w", err)
	}
	serving.end(ctx)
	serving = second
	if err := s.play(ctx, ask(alerting, "restart", "redis-a", "--token", "a")); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := &stopAfter{lines: 6, stop: stop} // a and its repeat, b, c, d, e
	watcher, seen := s.login("watcher"), make(chan int, 1)
	go func() {
		args := []string{"watch", "--since", "1h", "--status", "succeeded,rejected", "--config", watcher}
		seen <- run(watching, args, std{out: watched, err: log})
	}()
	if err := until(ctx, func() (bool, error) { return watched.count() >= 2, nil }); err != nil {
		return err
	}
	s.restart()
	if err := s.everyday(ctx, alerting, log); err != nil {
		return err
	}
	code := <-seen
	if code != exitOK || watched.count() != watched.lines {
		return fmt.Errorf("the watcher ended with %d and %d results, not %d", code, watched.count(), watched.lines)
	}
	return nil
}

// everyday is commands of all users and their answers, bad input, and dead letters, while
// the lease goes for a moment.
func (s *secured) everyday(ctx context.Context, alerting string, log *logBuffer) error {
	batch, operator := s.login("batch"), s.login("operator")
	if err := s.play(ctx,
		ask(batch, "restart", "redis-b", "--priority", "bulk", "--token", "b"),
		ask(operator, "restart", "redis-c", "--token", "c", "--intake"),
		step{operator, []string{"status", "b"}, exitOK, "final: the outcome stands"},
		step{operator, []string{"send", "restart", "redis-d", "--vendor", "volcengine", "--account", "prod", "--region", "nowhere", "--wait", "--timeout", "60s"},
			exitFailure, "unknown_region"},
	); err != nil {
		return err
	}
	if err := s.publish(ctx, "operator", "sluice.intake", "no event"); err != nil {
		return err
	}
	if err := s.deadLetters(ctx, operator, "1 "); err != nil {
		return err
	}
	if err := s.play(ctx, step{operator, []string{"deadletters", "redrive", "1"}, exitOK, "published again"}); err != nil {
		return err
	}
	if err := s.deadLetters(ctx, operator, "2 "); err != nil {
		return err
	}
	// Somebody else has the lease: that has to be looked at, and waited for.
	if err := s.connect("test").Publish("$KV.sluice_leases.account.volcengine.prod", []byte(`{"replica":"ghost"}`)); err != nil {
		return err
	}
	if err := until(ctx, func() (bool, error) { return strings.Contains(log.String(), "lease lost"), nil }); err != nil {
		return err
	}
	return s.play(ctx, ask(alerting, "restart", "redis-e", "--dry-run"))
}

// ask is a command that succeeds.
func ask(config, operation, instance string, more ...string) step {
	at := []string{"--vendor", "volcengine", "--account", "prod", "--region", "cn-beijing", "--wait", "--timeout", "60s"}
	return step{config, slices.Concat([]string{"send", operation, instance}, at, more), exitOK, "succeeded"}
}

// until asks again and again, as what happens has no other way to tell.
func until(ctx context.Context, ok func() (bool, error)) error {
	for {
		if yes, err := ok(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// step is a command of a user's and what it must come to.
type step struct {
	config string
	args   []string
	code   int
	says   string
}

func (s *secured) play(ctx context.Context, steps ...step) error {
	for _, st := range steps {
		if got := s.command(ctx, st.config, st.args...); got.code != st.code || !strings.Contains(got.out, st.says) {
			return fmt.Errorf("%v: exit %d:\n%s%s", st.args, got.code, got.out, got.err)
		}
	}
	return nil
}

// deadLetters waits until the list has one with that id.
func (s *secured) deadLetters(ctx context.Context, config, id string) error {
	return until(ctx, func() (bool, error) {
		got := s.command(ctx, config, "deadletters", "list")
		if got.code != exitOK {
			return false, fmt.Errorf("list dead letters: %s", got.err)
		}
		return strings.Contains(got.out, "\n"+id), nil
	})
}

// What the example refuses, and how the program tells its user.
func TestSecuredNATSRefuses(t *testing.T) {
	t.Parallel()
	s := startSecured(t, nil)
	_, clouds := cloud(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var log logBuffer
	r, err := s.consume(ctx, clouds, &log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { r.end(ctx) }()
	at := []string{"--vendor", "volcengine", "--account", "prod", "--region", "cn-beijing", "--token", "t"}
	lane := func(operation, priority string) string {
		return fmt.Sprintf("publish on %q", "sluice.commands.volcengine.prod.cn-beijing."+operation+"."+priority)
	}
	for _, c := range []struct {
		user string
		args []string
		says string
	}{
		{"alerting", append([]string{"send", "flush", "redis-a"}, at...), lane("flush", "normal")},
		{"alerting", append([]string{"send", "restart", "redis-a", "redis-b", "--priority", "bulk"}, at...), lane("restart", "bulk")},
		{"alerting", append([]string{"send", "restart", "redis-a", "--intake"}, at...), `publish on "sluice.intake"`},
		{"alerting", append([]string{"send", "flush", "redis-a", "--wait"}, at...), "SLUICE_RESULTS"},
		{"alerting", []string{"status", "t"}, `publish on "$JS.API.STREAM.MSG.GET.KV_sluice_ledger"`},
		{"alerting", []string{"watch"}, "CONSUMER.CREATE.SLUICE_RESULTS"},
		{"alerting", []string{"deadletters", "list"}, `publish on "$JS.API.STREAM.INFO.SLUICE_DEADLETTERS"`},
		{"batch", append([]string{"send", "restart", "redis-a", "--priority", "urgent"}, at...), lane("restart", "urgent")},
		{"batch", append([]string{"send", "restart", "redis-a", "--wait"}, at...), lane("restart", "normal")},
		{"watcher", append([]string{"send", "restart", "redis-a"}, at...), lane("restart", "normal")},
		{"watcher", []string{"deadletters", "redrive", "1"}, `publish on "$JS.API.STREAM.MSG.GET.SLUICE_DEADLETTERS"`},
	} {
		before := time.Now()
		got := s.command(ctx, s.login(c.user), c.args...)
		if got.code != exitFailure || !strings.Contains(got.err, "does not allow this user to ") || !strings.Contains(got.err, c.says) ||
			!strings.Contains(got.err, "connect as a user that may") {
			t.Errorf("%s: %v: exit %d: %s%s", c.user, c.args, got.code, got.out, got.err)
		}
		if took := time.Since(before); took > 4*time.Second {
			t.Errorf("%s: %v: told after %s only", c.user, c.args, took)
		}
	}
	token := events.TokenKey("t")
	for _, c := range []struct{ user, subject string }{
		{"alerting", "sluice.results.volcengine.prod.cn-beijing.restart.succeeded"},
		{"alerting", "$KV.sluice_ledger.op." + token}, {"batch", "$KV.sluice_leases.account.volcengine.prod"},
		{"alerting", "$JS.API.STREAM.MSG.GET.KV_sluice_ledger"}, {"alerting", "$JS.API.DIRECT.GET.KV_sluice_ledger"},
		{"batch", "$JS.API.CONSUMER.CREATE.KV_sluice_ledger.x.$KV.sluice_ledger.>"},
		{"batch", "$JS.API.CONSUMER.CREATE.SLUICE_COMMANDS.x"}, {"watcher", "$JS.API.CONSUMER.MSG.NEXT.SLUICE_COMMANDS.intake"},
		{"watcher", "$JS.API.STREAM.PURGE.SLUICE_RESULTS"}, {"operator", "$JS.API.STREAM.DELETE.SLUICE_DEADLETTERS"},
		{"operator", "$KV.sluice_ledger.op." + token},
		{"consumer", "$JS.API.STREAM.DELETE.SLUICE_COMMANDS"}, {"consumer", "$JS.API.STREAM.PURGE.SLUICE_COMMANDS"},
		{"consumer", "$JS.API.STREAM.CREATE.OTHER"}, {"consumer", "sluice.intake"}, {"consumer", "$SYS.REQ.SERVER.PING"},
	} {
		if err := violation(s, c.user, func(nc *nats.Conn) error { return nc.Publish(c.subject, nil) }); err == nil || !strings.Contains(err.Error(), c.subject) {
			t.Errorf("%s may publish on %s: %v", c.user, c.subject, err)
		}
	}
	for _, c := range []struct{ user, subject string }{
		{"alerting", "_INBOX.>"}, {"alerting", "_INBOX.consumer.>"}, {"watcher", "sluice.commands.>"}, {"batch", "sluice.results.>"},
		{"consumer", "_INBOX.operator.>"}, {"operator", "$KV.sluice_ledger.>"},
	} {
		if err := violation(s, c.user, func(nc *nats.Conn) error { _, err := nc.SubscribeSync(c.subject); return err }); err == nil || !strings.Contains(err.Error(), c.subject) {
			t.Errorf("%s may subscribe to %s: %v", c.user, c.subject, err)
		}
	}
	nobody := s.command(ctx, s.login("alerting"), "send", "restart", "redis-a", "--vendor", "volcengine", "--account", "other", "--region", "cn-beijing")
	if nobody.code != exitFailure || !strings.Contains(nobody.err, `takes commands for account "other"`) {
		t.Errorf("an account that nobody has configured: exit %d: %s", nobody.code, nobody.err)
	}
	js, err := jetstream.New(s.connect("test"))
	if err != nil {
		t.Fatal(err)
	}
	s.diverts(ctx, js, token)
	info, err := js.Stream(ctx, "SLUICE_RESULTS")
	if err != nil || info.CachedInfo().State.Msgs != 0 {
		t.Errorf("something was carried out: %v", err)
	}
}

// diverts tries to have the server write over the ledger: what it answers to a command
// goes wherever the command says, and that is why a team has an account of its own.
func (s *secured) diverts(ctx context.Context, js jetstream.JetStream, token string) {
	s.t.Helper()
	victim := "$KV.sluice_ledger.op." + token
	for _, user := range []string{"alerting", "watcher"} {
		subject := map[string]string{"alerting": "sluice.commands.volcengine.prod.cn-beijing.restart.urgent", "watcher": "$JS.sluice.API.STREAM.INFO.SLUICE_RESULTS"}[user]
		nc := s.connect(user)
		if err := nc.PublishRequest(subject, victim, []byte("{}")); err != nil {
			s.t.Error(err)
		}
		// What is asked next is answered later.
		if _, err := nc.RequestWithContext(ctx, subject, []byte("{}")); err != nil {
			s.t.Errorf("%s: %v", user, err)
		}
	}
	ledger, err := js.KeyValue(ctx, "sluice_ledger")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := ledger.Get(ctx, "op."+token); !errors.Is(err, jetstream.ErrKeyNotFound) {
		s.t.Errorf("the ledger was written to by way of an answer: %v", err)
	}
}

// violation is what the server says of an attempt, nil if it says nothing.
func violation(s *secured, user string, attempt func(*nats.Conn) error) error {
	said := make(chan error, 10)
	nc := s.connect(user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { said <- err }))
	defer nc.Close()
	if err := attempt(nc); err != nil {
		return err
	}
	// The server answers in order: what it has to say comes before this.
	if err := nc.Flush(); err != nil {
		return err
	}
	select {
	case err := <-said:
		return err
	case <-time.After(time.Second):
		return errors.New("nothing was refused")
	}
}
