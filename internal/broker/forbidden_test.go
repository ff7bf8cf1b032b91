package broker

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// limited connects as a user with those permissions to a server of its own.
func limited(t *testing.T, p server.Permissions) *Conn {
	t.Helper()
	url := external(t, &server.Options{JetStream: true, Users: []*server.User{{Username: "u", Password: "p", Permissions: &p}}})
	return testConnect(t, Options{URL: url, User: "u", Password: secret.New("p")})
}

// What the server refuses is no time-out, and is told to all who wait for it.
func TestForbiddenIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		permissions server.Permissions
		call        func(*Conn) error
		want        ForbiddenError
	}{
		{"a publish", server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"sluice.intake"}}},
			func(c *Conn) error { return c.Publish(testContext(t), Outgoing{Subject: "sluice.intake"}) },
			ForbiddenError{Subject: "sluice.intake"}},
		{"a read of a bucket", server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.STREAM.MSG.GET.>"}}},
			func(c *Conn) error { _, err := c.Ledger().Get(testContext(t), "op.x"); return err },
			ForbiddenError{Subject: "$JS.API.STREAM.MSG.GET.KV_sluice_ledger"}},
		{"a look at a stream", server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.STREAM.INFO.>"}}},
			func(c *Conn) error { _, err := c.Results(testContext(t), ResultFilter{New: true}); return err },
			ForbiddenError{Subject: "$JS.API.STREAM.INFO.SLUICE_RESULTS"}},
		{"answers", server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{"_INBOX.>"}}},
			func(c *Conn) error { return c.Publish(testContext(t), Outgoing{Subject: "sluice.intake"}) },
			ForbiddenError{Listen: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := limited(t, tt.permissions)
			before := time.Now()
			err := tt.call(c)
			var refusal *ForbiddenError
			if !errors.As(err, &refusal) || refusal.Listen != tt.want.Listen || !strings.HasPrefix(refusal.Subject, tt.want.Subject) {
				t.Fatalf("got %v", err)
			}
			if took := time.Since(before); took > requestTimeout-time.Second {
				t.Errorf("told after %s", took)
			}
			if c.Refused() == nil || !strings.Contains(err.Error(), refusal.Subject) || !strings.Contains(err.Error(), "connect as a user that may") {
				t.Errorf("says %v", err)
			}
		})
	}
}

// What was refused does not keep another call from its answer.
func TestForbiddenConcernsItsSubject(t *testing.T) {
	t.Parallel()
	c := limited(t, server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"sluice.intake"}}})
	mustSetup(t, c)
	results, err := c.Results(t.Context(), ResultFilter{New: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(testContext(t), Outgoing{Subject: "sluice.intake"}); err == nil {
		t.Error("published")
	}
	publishResult(t, c, "succeeded", "after")
	if r := nextResult(t, results); string(r.Data) != "after" {
		t.Errorf("got %s", r.Data)
	}
}

func TestInboxPrefix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{}, "_INBOX"},
		{Options{Token: secret.New("t")}, "_INBOX"},
		{Options{User: "alerting"}, "_INBOX.alerting"},
		{Options{User: "a.b c>*"}, "_INBOX.a_b_c__"},
		{Options{CredentialsFile: "/nowhere"}, "_INBOX"},
		{Options{CredentialsFile: "/nowhere", User: "u"}, "_INBOX"},
	} {
		if got := inboxPrefix(tt.o); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.o, got, tt.want)
		}
	}
}
