package volcengine

import "github.com/seed-7b870224/sluice/internal/vendors"

// Status values that decide something. Every other one, known or not, means
// that the instance is busy with some work. Source: Volcengine docs 6293/71563.
const (
	running       = "Running"
	restarting    = "Restarting"
	restoring     = "Restoring"
	createFailed  = "CreateFailed"
	taskFailed    = "TaskFailed"
	deleting      = "Deleting"
	closing       = "Closing"
	released      = "Released"
	standalone    = "Standalone"
	backupIsReady = "Available"
)

// ended reports a status that no waiting turns into Running.
func ended(status string) bool {
	switch status {
	case createFailed, taskFailed, deleting, closing, released:
		return true
	}
	return false
}

// busyStatus is the status that shows the operation at work; a flush has none.
func busyStatus(op vendors.Operation) string {
	switch op {
	case vendors.Restart:
		return restarting
	case vendors.Restore:
		return restoring
	}
	return ""
}
