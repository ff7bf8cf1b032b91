package tencent

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// The actions of the API that the adapter calls.
const (
	actionClear     = "ClearInstance"
	actionRestore   = "RestoreInstance"
	actionTask      = "DescribeTaskInfo"
	actionTasks     = "DescribeTaskList"
	actionInstances = "DescribeInstances"
	actionBackups   = "DescribeInstanceBackups"
)

// Facts says what is known of the API without calling it.
func Facts() vendors.Facts {
	return vendors.Facts{
		Name:  "tencent",
		Title: "TencentDB for Redis",
		Actions: map[vendors.Operation]string{
			vendors.Flush:   actionClear,
			vendors.Restore: actionRestore,
		},
		// Tencent counts per API, region of the gateway that is reached and
		// sub-account (Tencent Cloud docs 1278/109059).
		Quotas: map[string]vendors.Quota{
			actionClear:     {PerSecond: 20, Source: "Tencent Cloud docs 239/20021: 20 requests per second"},
			actionRestore:   {PerSecond: 20, Source: "Tencent Cloud docs 239/34435: 20 requests per second"},
			actionTask:      {PerSecond: 20, Source: "Tencent Cloud docs 239/30601: 20 requests per second", Read: true},
			actionTasks:     {PerSecond: 100, Source: "Tencent Cloud docs 239/39374: 100 requests per second", Read: true},
			actionInstances: {PerSecond: 35, Source: "Tencent Cloud docs 239/20018: 35 requests per second (older pages say 20 and 50)", Read: true},
			actionBackups:   {PerSecond: 50, Source: "Tencent Cloud docs 239/20011: 50 requests per second (older pages say 20)", Read: true},
		},
		// How many ids a call takes is not documented, only that a page has at most
		// 1000 rows (Tencent Cloud docs 239/20018).
		Survey:       100,
		PollTogether: 10_000,
		Password:     vendors.PasswordOptional,
		// A timestamp more than five minutes off is refused (AuthFailure.SignatureExpire).
		SignatureLife: 5 * time.Minute,
		// The gateway of the region, not the nearest one: rate limits count by the
		// region of the gateway, so accounts in two regions do not share one.
		Endpoint:    "https://redis.{region}.tencentcloudapi.com",
		KeyField:    "secretId",
		SecretField: "secretKey",
		Environment: [3]string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"},
	}
}
