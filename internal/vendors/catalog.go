package vendors

import "time"

// Facts is what is known of a vendor without calling it. Configuration, checks
// and documents are made from it.
type Facts struct {
	// Name as in subjects and configuration.
	Name string
	// Title is the vendor's own name for the service, for documents.
	Title string
	// Actions maps each offered operation to the vendor's action (quota key).
	Actions map[Operation]string
	// Quotas is the default limit of every action that the adapter calls,
	// look-ups included, with the source of the figure.
	Quotas map[string]Quota
	// Coalesce is how many instances one call of an operation takes, for the
	// operations that a Coalescer offers.
	Coalesce map[Operation]int
	// Survey is how many instances a Surveyor looks at together.
	Survey int
	// PollTogether is how many tasks one Poll is given, where a list shows them
	// at no more cost than a few; zero means a hundred.
	PollTogether int
	// PointInTime: a restore takes parameters.timePoint.
	PointInTime bool
	// Password says which operations take parameters.password, and whether they
	// need it.
	Password PasswordUse
	// SignatureLife is how long a signed request can take effect at the vendor.
	SignatureLife time.Duration
	// Endpoint is the default base URL; {region} stands for the region.
	Endpoint string
	// NeedsProject: the configuration must name a project per region.
	NeedsProject bool
	// KeyField and SecretField are the names of the credentials in the
	// configuration file (accessKey/secretKey or secretId/secretKey).
	KeyField, SecretField string
	// Environment names the variables in which the vendor's own SDK looks for
	// key, secret and session token, in that order.
	Environment [3]string
}

// Supports reports whether the vendor offers the operation.
func (f Facts) Supports(op Operation) bool { _, ok := f.Actions[op]; return ok }

// PasswordUse says whether a vendor takes the instance's password.
type PasswordUse int

// How a vendor treats parameters.password of flush and restore.
const (
	PasswordNone PasswordUse = iota
	PasswordOptional
	PasswordRequired
)

// Quota is a default rate limit and where the figure is from.
type Quota struct {
	// PerSecond is calls per second, per account and region.
	PerSecond float64
	// Source says who states the figure, or that it is our own caution.
	Source string
	// Read: the action only looks.
	Read bool
}
