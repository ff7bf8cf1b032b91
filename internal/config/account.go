package config

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// Account is one set of credentials at one vendor.
type Account struct {
	Name        string              `yaml:"name" doc:"Name in subjects and commands, unique per vendor: a-z, 0-9 and -, up to 32, starting with a letter or digit. Required."`
	Vendor      string              `yaml:"vendor" doc:"volcengine, huawei, tencent or tencent-crs. Required."`
	Regions     []string            `yaml:"regions" doc:"The vendor's own ids of the regions to serve. Required."`
	Projects    map[string]string   `yaml:"projects" key:"region" doc:"Project id of the region, for vendors that have projects (huawei), where every region needs one."`
	Credentials Credentials         `yaml:"credentials"`
	Endpoint    string              `yaml:"endpoint" doc:"Base URL instead of the vendor's; may hold {region}. http only for loopback addresses."`
	Allow       []vendors.Operation `yaml:"allow" doc:"Operations that may be carried out. Default: restart and soft_restart, where the vendor has them; operations that lose data must be switched on."`
	Quotas      map[string]Rate     `yaml:"quotas" key:"action" doc:"Calls of the vendor's action per account and region, as N/s or N/m, instead of the built-in default; up to 1000000/s."`
	MaxInFlight int                 `yaml:"maxInFlight" default:"100" doc:"Unfinished operations per lane, 1 to 1000000."`
	Timeout     time.Duration       `yaml:"timeout" default:"10s" doc:"Bound on one call to the vendor."`
	Expiry      Expiry              `yaml:"expiry"`
	Retry       Retry               `yaml:"retry"`
	Breaker     Breaker             `yaml:"breaker"`
	Track       Track               `yaml:"track"`

	facts vendors.Facts
}

// Expiry is the age at which a command without an expirytime expires.
type Expiry struct {
	Urgent time.Duration `yaml:"urgent" default:"15m" doc:"Age at which an urgent command without expirytime expires."`
	Normal time.Duration `yaml:"normal" default:"1h" doc:"The same for a normal command."`
	Bulk   time.Duration `yaml:"bulk" default:"24h" doc:"The same for a bulk command."`
}

// Retry is how often and how soon a call is sent again that is shown not to have run.
type Retry struct {
	Attempts   int           `yaml:"attempts" default:"8" doc:"Calls per command at most, the first included, 1 to 1000."`
	MinBackoff time.Duration `yaml:"minBackoff" default:"500ms" doc:"Bound of the wait before the second call; it doubles with each."`
	MaxBackoff time.Duration `yaml:"maxBackoff" default:"30s" doc:"Bound of the wait before any call; not below minBackoff."`
}

// Breaker is when calls to an endpoint pause.
type Breaker struct {
	Failures int           `yaml:"failures" default:"5" doc:"Failures within the window that open the breaker, 1 to 1000000."`
	Window   time.Duration `yaml:"window" default:"30s" doc:"Window in which failures are counted."`
	Open     time.Duration `yaml:"open" default:"15s" doc:"How long the breaker stays open before a read-only probe."`
}

// Track is how accepted work is followed.
type Track struct {
	Interval time.Duration `yaml:"interval" default:"5s" doc:"First interval between two polls of accepted work; it grows."`
	Timeout  time.Duration `yaml:"timeout" default:"2h" doc:"How long accepted work is followed before it ends as indeterminate; not below interval."`
}

// Facts is what is known of the account's vendor.
func (a Account) Facts() vendors.Facts { return a.facts }

// Allows reports whether the account's commands may ask for the operation.
func (a Account) Allows(op vendors.Operation) bool { return slices.Contains(a.Allow, op) }

// Serves reports whether the region is configured.
func (a Account) Serves(region string) bool { return slices.Contains(a.Regions, region) }

// EndpointFor is the base URL for the region, the vendor's own where the file
// names none, without a trailing slash.
func (a Account) EndpointFor(region string) string {
	base := cmp.Or(a.Endpoint, a.facts.Endpoint)
	return strings.TrimRight(strings.ReplaceAll(base, "{region}", region), "/")
}

// Quota is the limit of the vendor's action in calls per second: the configured
// one, or else the built-in one. Zero means that no limit is known.
func (a Account) Quota(action string) float64 {
	if rate, ok := a.Quotas[action]; ok {
		return rate.PerSecond
	}
	return a.facts.Quotas[action].PerSecond
}

// ExpiryOf is the age at which a command of the priority expires; zero for an
// unknown priority.
func (a Account) ExpiryOf(priority string) time.Duration {
	switch priority {
	case "urgent":
		return a.Expiry.Urgent
	case "normal":
		return a.Expiry.Normal
	case "bulk":
		return a.Expiry.Bulk
	}
	return 0
}
