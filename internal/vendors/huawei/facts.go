package huawei

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// The operation ids of the API that the adapter calls.
const (
	actionStatus    = "RestartOrFlushInstances"
	actionRestore   = "RestoreInstance"
	actionShow      = "ShowInstance"
	actionInstances = "ListInstances"
	actionRestores  = "ListRestoreRecords"
	actionBackups   = "ListBackupRecords"
)

// Facts says what is known of the API without calling it.
func Facts() vendors.Facts {
	const source = "our own caution: Huawei Cloud documents no figure for DCS"
	quotas := map[string]vendors.Quota{}
	for _, action := range []string{actionStatus, actionRestore} {
		quotas[action] = vendors.Quota{PerSecond: 1, Source: source}
	}
	for _, action := range []string{actionShow, actionInstances, actionRestores, actionBackups} {
		quotas[action] = vendors.Quota{PerSecond: 5, Source: source, Read: true}
	}
	return vendors.Facts{
		Name:  "huawei",
		Title: "Huawei Cloud Distributed Cache Service (DCS)",
		Actions: map[vendors.Operation]string{
			vendors.Restart:     actionStatus,
			vendors.SoftRestart: actionStatus,
			vendors.Flush:       actionStatus,
			vendors.Restore:     actionRestore,
		},
		Quotas: quotas,
		Coalesce: map[vendors.Operation]int{
			vendors.Restart: maxTogether, vendors.SoftRestart: maxTogether, vendors.Flush: maxTogether,
		},
		// A page of the list is the same call whoever is on it.
		Survey:       100,
		PollTogether: 10_000,

		Password: vendors.PasswordNone,
		// A signed date that is further off is refused with APIGW.0301.
		SignatureLife: 15 * time.Minute,
		Endpoint:      "https://dcs.{region}.myhuaweicloud.com",
		NeedsProject:  true,
		KeyField:      "accessKey",
		SecretField:   "secretKey",
		Environment:   [3]string{"HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"},
	}
}
