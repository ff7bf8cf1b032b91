package emulator

import (
	"slices"
	"sync"
	"time"
)

// Call is one request that reached an emulated cloud.
type Call struct {
	Time   time.Time `json:"time"`
	Vendor Vendor    `json:"vendor"`
	// Key is the id that the request claimed, valid or not.
	Key    string `json:"key"`
	Region string `json:"region"`
	// Action is the vendor's name for the call, for Huawei the operation id.
	Action string `json:"action"`
	// Operation is set on mutations.
	Operation Operation `json:"operation,omitempty"`
	Instances []string  `json:"instances,omitempty"`
	// Token is Volcengine's ClientToken, or the remark of a Huawei restore.
	Token string `json:"token,omitempty"`
	// Outcome is "ok", the vendor's error code, "replayed", or the name of the
	// fault that hid the answer; OutcomePending while the call is open.
	Outcome string `json:"outcome"`
	// Effect reports that the call changed an instance.
	Effect     bool   `json:"effect"`
	HTTPStatus int    `json:"httpStatus"`
	RequestID  string `json:"requestId"`
}

// OutcomePending is the outcome of a call that has arrived and is not judged yet.
const OutcomePending = "pending"

// Filter picks calls; empty fields match everything.
type Filter struct {
	Vendor   Vendor
	Action   string
	Instance string
	// Mutations leaves look-ups out.
	Mutations bool
	// Limit keeps only the newest calls; 0 means all.
	Limit int
}

func (f Filter) match(c *Call) bool {
	return (f.Vendor == "" || c.Vendor == f.Vendor) &&
		(f.Action == "" || c.Action == f.Action) &&
		(f.Instance == "" || slices.Contains(c.Instances, f.Instance)) &&
		(!f.Mutations || c.Operation != "")
}

// recorder keeps the newest calls in a ring.
type recorder struct {
	mu    sync.Mutex
	limit int
	ring  []*Call
	next  int
}

// open keeps a call from its arrival on, so that one which never ends is seen.
func (r *recorder) open(c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < r.limit {
		r.ring = append(r.ring, c)
		return
	}
	r.ring[r.next] = c
	r.next = (r.next + 1) % r.limit
}

// update changes a kept call.
func (r *recorder) update(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// list copies the matching calls, oldest first.
func (r *recorder) list(f Filter) []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []Call{}
	for i := range r.ring {
		c := r.ring[(r.next+len(r.ring)-1-i)%len(r.ring)]
		if f.Limit > 0 && len(out) == f.Limit {
			break
		}
		if f.match(c) {
			out = append(out, *c)
		}
	}
	slices.Reverse(out)
	return out
}

func (r *recorder) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring, r.next = nil, 0
}
