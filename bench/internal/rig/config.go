package rig

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
)

// Config is a consumer's configuration; zero fields take what suits a
// measurement.
type Config struct {
	// NATS is the server's URL.
	NATS string
	// Prefix of subjects and streams; default "sluice".
	Prefix string
	// LeaseTTL; default the program's own.
	LeaseTTL time.Duration
	// LogLevel; default info, which has the line that says where /metrics is.
	LogLevel string
	Accounts []Account
	// Extra is YAML at the top level.
	Extra string
}

// Account is one account of a Config.
type Account struct {
	// Name; default that of the vendor.
	Name, Vendor string
	// Regions; default one of the vendor's.
	Regions []string
	// Endpoint is the vendor end's URL.
	Endpoint string
	// Allow lists operations.
	Allow []string
	// Quotas override the vendor's, by action, such as 20/s.
	Quotas map[string]string
	// MaxInFlight; default the program's own, as with all that is not set.
	MaxInFlight   int
	Timeout       time.Duration
	TrackInterval time.Duration
	// Extra is YAML of the account, indented by four.
	Extra string
}

// vendorFacts is what a configuration needs to know of each vendor.
var vendorFacts = map[string]struct{ region, key, secret, extra string }{
	"volcengine":  {"cn-beijing", "accessKey", "secretKey", ""},
	"huawei":      {"cn-north-4", "accessKey", "secretKey", "    projects: {%s: \"0123456789abcdef0123456789abcdef\"}\n"},
	"tencent":     {"ap-guangzhou", "secretId", "secretKey", ""},
	"tencent-crs": {"gz", "secretId", "secretKey", ""},
}

// Region is the region that an account of the vendor has by default.
func Region(vendor string) string { return vendorFacts[vendor].region }

// YAML is the configuration file.
func (c Config) YAML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "nats:\n  url: %q\n  prefix: %s\n", c.NATS, cmp.Or(c.Prefix, "sluice"))
	fmt.Fprintf(&b, "http: {listen: \"127.0.0.1:0\"}\nlog: {level: %s}\n", cmp.Or(c.LogLevel, "info"))
	if c.LeaseTTL > 0 {
		fmt.Fprintf(&b, "lease: {ttl: %s}\n", c.LeaseTTL)
	}
	b.WriteString(c.Extra + "accounts:\n")
	for _, a := range c.Accounts {
		a.write(&b)
	}
	return b.String()
}

func (a Account) write(b *strings.Builder) {
	facts := vendorFacts[a.Vendor]
	regions := a.Regions
	if len(regions) == 0 {
		regions = []string{facts.region}
	}
	fmt.Fprintf(b, "  - name: %s\n    vendor: %s\n    regions: [%s]\n    endpoint: %q\n",
		cmp.Or(a.Name, a.Vendor), a.Vendor, strings.Join(regions, ", "), a.Endpoint)
	fmt.Fprintf(b, "    credentials: {%s: %s, %s: %s}\n", facts.key, emulator.DefaultAccessKey, facts.secret, emulator.DefaultSecretKey)
	if facts.extra != "" {
		fmt.Fprintf(b, facts.extra, regions[0])
	}
	if len(a.Allow) > 0 {
		fmt.Fprintf(b, "    allow: [%s]\n", strings.Join(a.Allow, ", "))
	}
	if a.MaxInFlight > 0 {
		fmt.Fprintf(b, "    maxInFlight: %d\n", a.MaxInFlight)
	}
	if a.Timeout > 0 {
		fmt.Fprintf(b, "    timeout: %s\n", a.Timeout)
	}
	if a.TrackInterval > 0 {
		fmt.Fprintf(b, "    track: {interval: %s}\n", a.TrackInterval)
	}
	if len(a.Quotas) > 0 {
		b.WriteString("    quotas:\n")
		for _, action := range slices.Sorted(maps.Keys(a.Quotas)) {
			fmt.Fprintf(b, "      %s: %s\n", action, a.Quotas[action])
		}
	}
	b.WriteString(a.Extra)
}
