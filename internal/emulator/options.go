package emulator

import (
	"maps"
	"slices"
	"time"
)

// The credentials that every emulated cloud takes.
const (
	DefaultAccessKey = "emulator-key"
	DefaultSecretKey = "emulator-secret"
)

// Key is one set of credentials. These are made up for tests and protect
// nothing, hence plain strings.
type Key struct {
	// ID and Secret sign requests.
	ID, Secret string
	// SessionToken makes this a temporary key: requests must carry the token.
	SessionToken string
	// Project, if set, is the only Huawei project that the key belongs to.
	Project string
	// Vendors limits the key to some clouds; empty means all.
	Vendors []Vendor
}

// Options configures a Server; the zero value is ready to use.
type Options struct {
	// AccessKey and SecretKey replace the default credentials.
	AccessKey, SecretKey string
	// Keys are valid besides AccessKey.
	Keys []Key
	// Now is the clock; nil means time.Now. Delays that faults ask for run on
	// the real clock in any case.
	Now func() time.Time
	// Transitions says how long operations take; zero fields take the default.
	Transitions Transitions
	// Quotas says how calls are limited.
	Quotas Quotas
	// Quirks chooses between readings of what vendors leave open.
	Quirks Quirks
	// RecordLimit bounds the calls kept for [Server.Calls]; 0 means 100,000.
	// Counters of effects and pace are exact beyond it.
	RecordLimit int
}

const defaultRecordLimit = 100_000

func (o Options) withDefaults() Options {
	if o.AccessKey == "" {
		o.AccessKey, o.SecretKey = DefaultAccessKey, DefaultSecretKey
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RecordLimit <= 0 {
		o.RecordLimit = defaultRecordLimit
	}
	o.Transitions = o.Transitions.withDefaults()
	o.Quotas = o.Quotas.withDefaults()
	o.Quirks = o.Quirks.withDefaults()
	return o
}

// keyring finds credentials by id.
type keyring map[string][]Key

func newKeyring(o Options) keyring {
	ring := keyring{}
	for _, k := range append([]Key{{ID: o.AccessKey, Secret: o.SecretKey}}, o.Keys...) {
		ring[k.ID] = append(ring[k.ID], k)
	}
	return ring
}

// find returns the key of that id which the vendor takes.
func (ring keyring) find(v Vendor, id string) (Key, bool) {
	for _, k := range ring[id] {
		if len(k.Vendors) == 0 || slices.Contains(k.Vendors, v) {
			return k, true
		}
	}
	return Key{}, false
}

// Quota modes.
const (
	QuotaStrict = "strict" // in any sliding second
	QuotaClock  = "clock"  // in each second of the clock
	QuotaOff    = "off"
)

// Quotas limits calls per vendor, key, region and action.
type Quotas struct {
	// Mode is [QuotaStrict] (the default), [QuotaClock] or [QuotaOff].
	Mode string `json:"mode"`
	// PerSecond overrides limits. Keys are "vendor/Action", "vendor" or "Action",
	// looked up in this order; 0 lifts the limit.
	PerSecond map[string]float64 `json:"perSecond"`
}

func (q Quotas) withDefaults() Quotas {
	if q.Mode == "" {
		q.Mode = QuotaStrict
	}
	return q.clone()
}

// clone keeps the map of a running configuration from its caller's hands.
func (q Quotas) clone() Quotas {
	q.PerSecond = maps.Clone(q.PerSecond)
	if q.PerSecond == nil {
		q.PerSecond = map[string]float64{}
	}
	return q
}

// limit is the calls per second that an action may make, 0 for no limit.
func (q Quotas) limit(v Vendor, action string) float64 {
	if q.Mode == QuotaOff {
		return 0
	}
	for _, k := range [...]string{string(v) + "/" + action, string(v), action} {
		if n, ok := q.PerSecond[k]; ok {
			return n
		}
	}
	return defaultLimit(v, action)
}

// defaultLimit is the documented figure where there is one. Sources: Volcengine
// docs 6293/65741 (20 per second and API); Tencent's pages of each API; Huawei
// documents none for DCS, 200 is its API gateway's stock value; CRS documents
// none, 20 follows API 3.0.
func defaultLimit(v Vendor, action string) float64 {
	switch {
	case v == Huawei:
		return 200
	case v != Tencent:
		return 20
	}
	switch action {
	case "DescribeTaskList":
		return 100
	case "DescribeInstances":
		return 35
	case "DescribeInstanceBackups":
		return 50
	}
	return 20
}
