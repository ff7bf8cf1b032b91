package rig

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// Config is the configuration of a consumer; zero fields take what suits a test.
type Config struct {
	// NATS lists the servers; without it the embedded server runs, with its data
	// in StoreDir, and clients reach it at Listen.
	NATS             string
	StoreDir, Listen string
	// Prefix of subjects and streams; default "sluice".
	Prefix string
	// Replicas of streams and buckets; default 1.
	Replicas int
	// LeaseTTL; default 2s, the least there is.
	LeaseTTL time.Duration
	// LogLevel; default info.
	LogLevel string
	Accounts []Account
	// Extra is YAML at the top level.
	Extra string
}

// Account is one account of a Config.
type Account struct {
	Name, Vendor, Region string
	// Endpoint is the clouds' URL.
	Endpoint string
	// Key of the credentials; default the emulator's own.
	Key string
	// Allow lists operations; default all of the vendor's.
	Allow []string
	// Quotas override, by action, a quota so high that it is never felt.
	Quotas map[string]string
	// Timeout of a call, default 5s; Track, default 200ms, is the first pause
	// between polls.
	Timeout, Track time.Duration
	// MaxInFlight; default 100.
	MaxInFlight int
	// BreakerFailures; default so many that the breaker never opens.
	BreakerFailures int
	// Extra is YAML of the account, indented by four.
	Extra string
}

// Accounts is one account per vendor, named like the vendor.
func Accounts(clouds *Clouds, vendors ...string) []Account {
	var out []Account
	for _, o := range Offers() {
		if len(vendors) == 0 || slices.Contains(vendors, o.Facts.Name) {
			out = append(out, Account{Name: o.Facts.Name, Vendor: o.Facts.Name, Region: o.Region, Endpoint: clouds.URL})
		}
	}
	return out
}

// passwordRef names the instances' password among the secrets.
const passwordRef = "pw"

// yaml writes the file, and the secrets beside it.
func (c Config) yaml(tb testing.TB) string {
	tb.Helper()
	secrets := tb.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, passwordRef), []byte("chaos-Pass1"), 0o600); err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "nats:\n  prefix: %s\n  replicas: %d\n", cmp.Or(c.Prefix, "sluice"), max(c.Replicas, 1))
	if c.NATS != "" {
		fmt.Fprintf(&b, "  url: %q\n", c.NATS)
	} else {
		fmt.Fprintf(&b, "  embedded: {storeDir: %q, listen: %q}\n", c.StoreDir, c.Listen)
	}
	fmt.Fprintf(&b, "http: {listen: \"127.0.0.1:0\"}\nlog: {level: %s}\nlease: {ttl: %s}\nsecrets: {dir: %q}\n%s\naccounts:\n",
		cmp.Or(c.LogLevel, "info"), cmp.Or(c.LeaseTTL, 2*time.Second), secrets, c.Extra)
	for _, a := range c.Accounts {
		a.write(&b)
	}
	return b.String()
}

func (a Account) write(b *strings.Builder) {
	o := OfferOf(a.Vendor)
	region := cmp.Or(a.Region, o.Region)
	allow := a.Allow
	if allow == nil {
		allow = o.Operations
	}
	fmt.Fprintf(b, "  - name: %s\n    vendor: %s\n    regions: [%s]\n    endpoint: %q\n    allow: [%s]\n",
		a.Name, a.Vendor, region, a.Endpoint, strings.Join(allow, ", "))
	fmt.Fprintf(b, "    credentials: {%s: %s, %s: %s}\n", o.Facts.KeyField, cmp.Or(a.Key, emulator.DefaultAccessKey),
		o.Facts.SecretField, emulator.DefaultSecretKey)
	if o.Facts.NeedsProject {
		fmt.Fprintf(b, "    projects: {%s: \"0123456789abcdef0123456789abcdef\"}\n", region)
	}
	fmt.Fprintf(b, "    timeout: %s\n    track: {interval: %s}\n    maxInFlight: %d\n    breaker: {failures: %d}\n",
		cmp.Or(a.Timeout, 5*time.Second), cmp.Or(a.Track, 200*time.Millisecond), cmp.Or(a.MaxInFlight, 100), cmp.Or(a.BreakerFailures, 1_000_000))
	b.WriteString("    quotas:\n")
	for _, action := range slices.Sorted(maps.Keys(o.Facts.Quotas)) {
		fmt.Fprintf(b, "      %s: %s\n", action, cmp.Or(a.Quotas[action], "1000/s"))
	}
	b.WriteString(a.Extra)
}
