package emulator

import (
	"net/http"
	"time"
)

// exchange is one request on its way through the emulator.
type exchange struct {
	s    *Server
	r    *http.Request
	body []byte
	// at is the vendor's time: of the arrival, or later if a fault held the
	// request up on its way.
	at  time.Time
	set settings

	cloud  cloud
	vendor Vendor
	// What the request says of itself, filled by cloud.read and not yet judged.
	key, region, action string
	op                  Operation
	instances           []string
	token               string
	// input is what the cloud keeps from read for later.
	input any

	requestID string
	// cred is the key that admit found.
	cred Key

	call    *Call
	effect  bool
	outcome string
}

// cloud is one vendor's way of being asked and answering.
type cloud interface {
	// read finds out who asks for what, without judging it.
	read(x *exchange)
	// admit checks form and signature.
	admit(x *exchange) *refusal
	// perform carries out an admitted call and returns what to answer.
	perform(x *exchange) (any, *refusal)
	// throttled is the refusal of a call beyond the quota.
	throttled(x *exchange) *refusal
	// accept and refuse put an answer into the vendor's envelope.
	accept(x *exchange, result any) *answer
	refuse(x *exchange, r *refusal) *answer
}

// refusal is a vendor's error. Status 0 means the vendor's usual one.
type refusal struct {
	status        int
	code, message string
}

// answer is an HTTP answer ready to be written.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func newAnswer(status int, contentType string, body []byte) *answer {
	return &answer{status, http.Header{"Content-Type": {contentType}}, body}
}

// instance finds an instance that the call is about.
func (x *exchange) instance(id string) *instance {
	return x.s.store.get(x.vendor, id, x.region, x.at)
}

// start begins work on an instance, unless check refuses, and books the effect.
func (x *exchange) start(in *instance, o order, check func(view) *refusal) (*work, *refusal) {
	busy := false
	w, clash, r := in.start(x.at, o, x.set, x.s.store.next.Add(1), func(v view) *refusal {
		r := check(v)
		busy = r != nil && v.lock != nil
		return r
	})
	if r != nil {
		if busy {
			x.s.violations.busy.Add(1)
		}
		return nil, r
	}
	if clash {
		x.s.violations.concurrent.Add(1)
	}
	x.s.store.file(w.id, in)
	in.effect(o.op, x.at)
	x.effect = true
	return w, nil
}

// free reports whether nothing keeps new work out.
func (x *exchange) free(v view) bool { return v.lock == nil || x.set.quirks.BusyAccepted }

// usable judges a backup: one that lists show by its state, any other by its id.
func (x *exchange) usable(in *instance, v Vendor, id string) backupState {
	for _, b := range in.backups(v, x.at) {
		if b.id != id {
			continue
		}
		if b.phase == succeeded && !b.expired {
			return backupUsable
		}
		return backupUnusable
	}
	return magicBackup(id)
}
