package huawei

import "github.com/seed-7b870224/sluice/internal/vendors"

// Status values that decide something. Every other one, known or not, means
// that the instance is busy with some work. Source: Huawei Cloud
// dcs-api-0312047.html.
const (
	running    = "RUNNING"
	restarting = "RESTARTING"
	flushing   = "FLUSHING"
	restoring  = "RESTORING"
	faulty     = "ERROR"
)

// ended reports a status that no waiting turns into RUNNING.
func ended(status string) bool {
	switch status {
	case faulty, "CREATEFAILED", "FROZEN", "CLOSED", "DELETING", "DELETED":
		return true
	}
	return false
}

// busyStatus is the status that shows the operation at work.
func busyStatus(op vendors.Operation) string {
	switch op {
	case vendors.Restart, vendors.SoftRestart:
		return restarting
	case vendors.Flush:
		return flushing
	}
	return restoring
}

// restarts reports an operation that may also heal a faulty instance.
func restarts(op vendors.Operation) bool {
	return op == vendors.Restart || op == vendors.SoftRestart
}
