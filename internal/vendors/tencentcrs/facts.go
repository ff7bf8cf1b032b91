package tencentcrs

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// The actions of the API that the adapter calls.
const (
	actionClear     = "ClearRedis"
	actionRestore   = "RestoreInstance"
	actionTask      = "DescribeTaskInfo"
	actionTasks     = "GetRedisTaskList"
	actionInstances = "DescribeRedis"
	actionBackups   = "GetRedisBackupList"
)

// Facts says what is known of the API without calling it.
func Facts() vendors.Facts {
	// No figure is published for any action, only the code of a limit (4400).
	mutation := vendors.Quota{PerSecond: 5, Source: "own caution: the vendor documents no rate; a quarter of what API 3.0 allows"}
	look := vendors.Quota{PerSecond: 10, Source: "own caution: the vendor documents no rate; half of what API 3.0 allows at least", Read: true}
	return vendors.Facts{
		Name:  "tencent-crs",
		Title: "Tencent Cloud Redis Storage (legacy API 2.0)",
		Actions: map[vendors.Operation]string{
			vendors.Flush:   actionClear,
			vendors.Restore: actionRestore,
		},
		Quotas: map[string]vendors.Quota{
			actionClear:     mutation,
			actionRestore:   mutation,
			actionTask:      look,
			actionTasks:     look,
			actionInstances: look,
			actionBackups:   look,
		},
		Password: vendors.PasswordRequired,
		// The replay window of the current error page (Tencent Cloud docs 239/1757);
		// an older English page says two hours.
		SignatureLife: 5 * time.Minute,
		Endpoint:      "https://redis.api.qcloud.com",
		KeyField:      "secretId",
		SecretField:   "secretKey",
		Environment:   [3]string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"},
	}
}
