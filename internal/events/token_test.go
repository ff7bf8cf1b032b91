package events

import (
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/secret"
)

// The wanted keys were made with sha256sum and base32.
func TestTokenKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, got, want string }{
		{"token", TokenKey("abc"), "xj4bnp4pahh6uqkbidpf3lrceo"},
		{"event", EventKey("/a", "1"), "beqrfh3yw6gybzaoz6xe4ocmxf"},
		{"derived", DerivedToken("/a", "1"), "ce-beqrfh3yw6gybzaoz6xe4ocmxf"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

// The wanted hash is pinned: the ledger holds fingerprints for days, and a new
// version must find its own again.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	base := Command{
		Vendor: "volcengine", Account: "prod", Region: "cn-beijing", Operation: Restore, InstanceID: "redis-1",
		Parameters: Parameters{TimePoint: at},
	}
	const want = "0ed72e910fa64fb82684520a01df18a7a5dceb7ac6c950adefaf42380d1c111f"
	if got := base.Fingerprint(); got != want {
		t.Fatalf("Fingerprint = %s, want %s", got, want)
	}
	for name, change := range map[string]struct {
		same   bool
		change func(*Command)
	}{
		"event":             {true, func(c *Command) { c.Event.ID = "x" }},
		"token":             {true, func(c *Command) { c.Token = "x" }},
		"priority":          {true, func(c *Command) { c.Priority = Bulk }},
		"same moment":       {true, func(c *Command) { c.Parameters.TimePoint = at.In(time.FixedZone("", 3600)) }},
		"vendor":            {false, func(c *Command) { c.Vendor = "x" }},
		"account":           {false, func(c *Command) { c.Account = "x" }},
		"region":            {false, func(c *Command) { c.Region = "x" }},
		"operation":         {false, func(c *Command) { c.Operation = Flush }},
		"instance":          {false, func(c *Command) { c.InstanceID = "x" }},
		"time point":        {false, func(c *Command) { c.Parameters.TimePoint = at.Add(time.Nanosecond) }},
		"backup":            {false, func(c *Command) { c.Parameters.BackupID = "x" }},
		"password":          {false, func(c *Command) { c.Parameters.Password = &Password{SecretRef: "x"} }},
		"shifted neighbour": {false, func(c *Command) { c.Vendor, c.Account = c.Vendor+c.Account, "" }},
	} {
		c := base
		change.change(&c)
		if same := c.Fingerprint() == want; same != change.same {
			t.Errorf("another %s: same fingerprint %v, want %v", name, same, change.same)
		}
	}
	sealed, plain := base, base
	sealed.Parameters.Password = &Password{Sealed: "x"}
	plain.Parameters.Password = &Password{Plain: secret.New("hunter2")}
	if sealed.Fingerprint() != plain.Fingerprint() {
		t.Error("the fingerprint tells passwords apart")
	}
}
