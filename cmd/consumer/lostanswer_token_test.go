package main

import (
	"context"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
	"github.com/seed-7b870224/sluice/internal/secret"
	"github.com/seed-7b870224/sluice/internal/vendors"
	"github.com/seed-7b870224/sluice/internal/vendors/volcengine"
)

// Volcengine's ClientToken is the command's own on every call for it, also in
// another process; and no answer to a token that was used before is taken for what
// it is not. TestLostAnswers has what each reading of the token makes of a loss.
func TestVolcengineToken(t *testing.T) {
	t.Parallel()
	ignoring, ignoringURL := lossyCloud(t, emulator.Quirks{VolcengineToken: "ignore"})
	refusing, refusingURL := lossyCloud(t, emulator.Quirks{VolcengineToken: "mismatch"})
	d := newLossyDaemon(t, 5*time.Second, lossyAccount("ignoring", "volcengine", ignoringURL)+lossyAccount("refusing", "volcengine", refusingURL))
	repeatedAfterKill(t, refusing, d, "refusing")
	for _, c := range []struct {
		account, url string
		clouds       *emulator.Server
		// want is the end of a command whose token another program has used, for
		// other parameters, without our knowing.
		want ending
	}{
		{"ignoring", ignoringURL, ignoring, succeeds},
		// The vendor's refusal has a code that no document names, so it is looked
		// into like any answer that is not understood, and never sent again.
		{"refusing", refusingURL, refusing, isUndetermined},
	} {
		usedByOthers(t, c.clouds, c.url, d, c.account, c.want)
	}
}

// repeatedAfterKill has the first call throttled and the process killed before
// the second, which another process makes.
func repeatedAfterKill(t *testing.T, clouds *emulator.Server, d *daemon, account string) {
	t.Helper()
	const instance = "lost-throttled"
	if _, err := clouds.SetFault(emulator.Fault{Kind: emulator.FaultThrottle, Operation: emulator.Restart, Instance: instance, Times: 1}); err != nil {
		t.Fatal(err)
	}
	d.startFaulty("retry.after@1=kill")
	d.ask(d.connect(), "restart", "volcengine", account, instance, instance)
	<-d.ended
	d.startFaulty("")
	got := d.finals(d.connect(), instance)[instance][0]
	calls := clouds.Calls(emulator.Filter{Instance: instance, Mutations: true})
	if got.Status != events.Succeeded || len(calls) != 2 || clouds.Effects().Total(instance, "") != 1 {
		t.Fatalf("%+v after %d calls, effects %+v", got, len(calls), clouds.Effects())
	}
	for _, call := range calls {
		if call.Token != instance {
			t.Errorf("sent with the ClientToken %q, want %q", call.Token, instance)
		}
	}
}

// usedByOthers has another program use up the token of a command.
func usedByOthers(t *testing.T, clouds *emulator.Server, url string, d *daemon, account string, want ending) {
	t.Helper()
	instance, theirs := "lost-"+account, "redis-theirs"
	other, err := volcengine.New(vendors.Account{
		Region: "cn-beijing", Endpoint: url, Timeout: 10 * time.Second,
		Credentials: func(context.Context) (vendors.Credentials, error) {
			return vendors.Credentials{AccessKey: emulator.DefaultAccessKey, SecretKey: secret.New(emulator.DefaultSecretKey)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	req := vendors.Request{Operation: vendors.Flush, InstanceID: theirs, ClientToken: instance}
	if v := other.Execute(t.Context(), req, nil, func(context.Context, time.Time) error { return nil }); v.Kind != vendors.Done {
		t.Fatalf("the other program: %+v", v)
	}
	conn := d.connect()
	d.ask(conn, "flush", "volcengine", account, instance, instance)
	got := d.finals(conn, instance)[instance][0]
	effects := map[string]int{events.Succeeded: 1, events.Indeterminate: 0}[want.status]
	calls := clouds.Calls(emulator.Filter{Instance: instance, Mutations: true})
	if got.Status != want.status || len(calls) != want.calls || clouds.Effects().Total(instance, "") != effects {
		t.Errorf("%s: %+v after %d calls, effects %+v; want %+v", account, got, len(calls), clouds.Effects(), want)
	}
	if want.status == events.Indeterminate && (got.VendorResponse == nil || got.VendorResponse.Code != "IdempotentParameterMismatch") {
		t.Errorf("the vendor's words are not told: %+v", got.VendorResponse)
	}
}
