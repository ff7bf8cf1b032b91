package volcengine

import (
	"maps"
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// The actions of the API that the adapter calls.
const (
	actionRestart   = "RestartDBInstance"
	actionFlush     = "FlushDBInstance"
	actionRestore   = "RestoreDBInstance"
	actionDetail    = "DescribeDBInstanceDetail"
	actionInstances = "DescribeDBInstances"
	actionBackups   = "DescribeBackups"
	actionWindow    = "DescribePitrTimeWindow"
)

// actions are the calls that carry the operations out.
var actions = map[vendors.Operation]string{
	vendors.Restart: actionRestart,
	vendors.Flush:   actionFlush,
	vendors.Restore: actionRestore,
}

// Facts says what is known of the API without calling it.
func Facts() vendors.Facts {
	quotas := map[string]vendors.Quota{}
	for action, read := range map[string]bool{
		actionRestart: false, actionFlush: false, actionRestore: false,
		actionDetail: true, actionInstances: true, actionBackups: true, actionWindow: true,
	} {
		quotas[action] = vendors.Quota{PerSecond: 20, Source: "Volcengine docs 6293/65741: 20 requests per second per account, region and API", Read: read}
	}
	return vendors.Facts{
		Name:    "volcengine",
		Title:   "Volcengine Cache for Redis",
		Actions: maps.Clone(actions),
		Quotas:  quotas,
		// A page of the list is the same call whoever is on it: in a large account ten
		// times as many are found by hardly more pages.
		Survey:       1000,
		PollTogether: 10_000,

		PointInTime: true,
		Password:    vendors.PasswordNone,
		// The validity of a signature that does not say its own (X-Expires).
		SignatureLife: 15 * time.Minute,
		Endpoint:      "https://redis.{region}.volcengineapi.com",
		KeyField:      "accessKey",
		SecretField:   "secretKey",
		Environment:   [3]string{"VOLCSTACK_ACCESS_KEY_ID", "VOLCSTACK_SECRET_ACCESS_KEY", "VOLCSTACK_SESSION_TOKEN"},
	}
}
