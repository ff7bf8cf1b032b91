package events

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
)

func TestDraft(t *testing.T) {
	t.Parallel()
	d := Draft{
		Operation: Restore, Vendor: "tencent-crs", Account: "tc", Region: "gz", InstanceID: "crs-1", Priority: Bulk, Token: "t", BackupID: "77",
		Password: &Password{Plain: secret.New("hunter<2")}, DryRun: true, Expires: received.Add(time.Hour),
		Source: "/cli", ID: "1", Correlation: "c", Traceparent: "tp",
	}
	c, raw, err := d.Event(received)
	if err != nil {
		t.Fatal(err)
	}
	want := Command{
		Event: Ref{ID: "1", Source: "/cli", Type: CommandType(Restore), Time: received}, Token: "t", Key: TokenKey("t"),
		Vendor: "tencent-crs", Account: "tc", Region: "gz", Operation: Restore, InstanceID: "crs-1", Priority: Bulk, DryRun: true,
		Parameters: Parameters{BackupID: "77", Password: d.Password}, ExpiryTime: d.Expires, Received: received,
		Trace: Trace{Parent: "tp", Correlation: "c"},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("Event = %+v\nwant    %+v", c, want)
	}
	if c.Lane() != (Lane{"tencent-crs", "tc", "gz", Restore, Bulk}) {
		t.Errorf("lane %v", c.Lane())
	}
	// What leaves is what the consumer will read.
	env, err := Open(nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	if again, why := Parse(env, received); why != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("read again: %+v, %v", again, why)
	}
}

func TestDraftForms(t *testing.T) {
	t.Parallel()
	base := Draft{Operation: Flush, Vendor: "tencent", Account: "tc", Region: "r", InstanceID: "i", Source: "/cli", ID: "1"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(*Draft)
		want   Parameters
	}{
		"nothing":     {func(*Draft) {}, Parameters{}},
		"secret name": {func(d *Draft) { d.Password = &Password{SecretRef: "a"} }, Parameters{Password: &Password{SecretRef: "a"}}},
		"sealed":      {func(d *Draft) { d.Password = &Password{Sealed: "QQ=="} }, Parameters{Password: &Password{Sealed: "QQ=="}}},
		"time point":  {func(d *Draft) { d.Operation, d.Vendor, d.TimePoint = Restore, "volcengine", at }, Parameters{TimePoint: at}},
	} {
		d := base
		c.change(&d)
		got, _, err := d.Event(received)
		if err != nil || !reflect.DeepEqual(got.Parameters, c.want) || got.Priority != Normal || !got.DerivedToken {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestDraftRefuses(t *testing.T) {
	t.Parallel()
	base := Draft{Operation: Restart, Vendor: "huawei", Account: "hw", Region: "cn-north-4", InstanceID: "i", Source: "/cli", ID: "1"}
	for name, c := range map[string]struct {
		change func(*Draft)
		want   string
		// answered says that a consumer would refuse it in the same words.
		answered bool
	}{
		"operation":    {func(d *Draft) { d.Operation = "reboot" }, "reboot", true},
		"no instance":  {func(d *Draft) { d.InstanceID = "" }, "/instanceId", true},
		"priority":     {func(d *Draft) { d.Priority = "soon" }, "/priority", true},
		"token":        {func(d *Draft) { d.Token = strings.Repeat("x", 128) }, "/clientToken", true},
		"no backup":    {func(d *Draft) { d.Operation = Restore }, "/parameters/backupId", true},
		"backup":       {func(d *Draft) { d.BackupID = "b" }, "/parameters/backupId", true},
		"account":      {func(d *Draft) { d.Account = "a.b" }, "/account", true},
		"region":       {func(d *Draft) { d.Region = "*" }, "/region", true},
		"no id":        {func(d *Draft) { d.ID = "" }, "id", false},
		"no source":    {func(d *Draft) { d.Source = "" }, "source", false},
		"control code": {func(d *Draft) { d.ID = "a\x01b" }, "id", false},
	} {
		d := base
		c.change(&d)
		_, raw, err := d.Event(received)
		var why *Refusal
		if err == nil || raw != nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &why) != c.answered {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}
