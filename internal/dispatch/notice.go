package dispatch

import (
	"sync"
	"time"
)

// noticeEvery is how often a message is given that would repeat itself.
const noticeEvery = 30 * time.Second

// notice lets a repeated message through now and then. Its zero value is ready.
type notice struct {
	mu   sync.Mutex
	last time.Time
}

// due reports whether the message should be given now.
func (n *notice) due(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.last.IsZero() && now.Sub(n.last) < noticeEvery {
		return false
	}
	n.last = now
	return true
}
