package chaos

import (
	"slices"

	"github.com/seed-7b870224/sluice/internal/chaos/rig"
	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// stage is what a crash at a point leaves behind.
type stage int

const (
	// settled: the ledger knows all that is needed; the command succeeds.
	settled stage = iota
	// open: the ledger holds an intent, and nothing tells whether it was sent.
	open
	// gone: the command expired and nothing was sent.
	gone
)

// crashPoint is a step boundary at which the process dies.
type crashPoint struct {
	name string
	// asyncOnly points are not passed by work that is done when it is answered.
	asyncOnly bool
	leaves    stage
	// syncLeaves replaces leaves for work that is done when it is answered.
	syncLeaves stage
	// fault, if set, has to strike for the point to be passed.
	fault emulator.FaultKind
	// first kills an earlier process at another point: this one is passed by
	// whoever takes its work over.
	first string
	// needs limits the point to work of which the vendor can show so much; empty
	// means any.
	needs []proof
	// expires: the command has little time and the vendor keeps it waiting.
	expires bool
	// follows: the next process follows work that runs, and has to see it.
	follows bool
}

// crashPoints are the boundaries between the steps of a command's life. Before
// and after each broker write, around the bytes of the call, and between ledger,
// result and acknowledgement.
var crashPoints = []crashPoint{
	{name: "claim.before"},
	{name: "claim.after"},
	{name: "intent.before"},
	{name: "intent.after", leaves: open, syncLeaves: open},
	{name: "call.before", leaves: open, syncLeaves: open},
	{name: "call.sent", leaves: open, syncLeaves: open},
	{name: "call.answered", leaves: open, syncLeaves: open},
	{name: "accepted.before", asyncOnly: true, leaves: open},
	{name: "accepted.after", asyncOnly: true, follows: true},
	{name: "announce.before", asyncOnly: true, follows: true},
	{name: "announce.after", asyncOnly: true, follows: true},
	{name: "outcome.before", syncLeaves: open},
	{name: "outcome.after"},
	{name: "result.before"},
	{name: "result.after"},
	{name: "ack.before"},
	{name: "ack.after"},
	// The answer was lost, and the ledger notes that.
	{name: "note.before", fault: emulator.FaultDropAfter, leaves: open, syncLeaves: open},
	{name: "note.after", fault: emulator.FaultDropAfter, leaves: open, syncLeaves: open},
	// The vendor says that it did nothing, and the ledger notes that.
	{name: "retry.before", fault: emulator.FaultThrottle, leaves: open, syncLeaves: open},
	{name: "retry.after", fault: emulator.FaultThrottle},
	// A second process dies while it takes over what the first left.
	{name: "touch.before", first: "call.answered", leaves: open, syncLeaves: open},
	{name: "touch.after", first: "call.answered", leaves: open, syncLeaves: open},
	// It dies with what it has found out: that the work runs, that nothing ran, or
	// that nobody can know.
	{name: "accepted.before", first: "call.answered", leaves: open, needs: []proof{byRecord, byStatus}},
	{name: "accepted.after", first: "call.answered", follows: true, needs: []proof{byRecord, byStatus}},
	{name: "retry.before", first: "call.before", leaves: open, needs: []proof{byRecord}},
	{name: "retry.after", first: "call.before", needs: []proof{byRecord}},
	{name: "outcome.before", first: "call.before", leaves: open, syncLeaves: open, needs: []proof{byStatus, none}},
	// The command's time is up before anything was sent.
	{name: "free.before", expires: true, leaves: gone, syncLeaves: gone},
	{name: "free.after", expires: true, leaves: gone, syncLeaves: gone},
}

// title is the point's row in the table.
func (p crashPoint) title() string {
	if p.first != "" {
		return "kill -9 at " + p.first + ", then at " + p.name
	}
	return "kill -9 at " + p.name
}

// path is the point in a test's name.
func (p crashPoint) path() string {
	if p.first != "" {
		return p.first + "+" + p.name
	}
	return p.name
}

// leave is the stage that a crash leaves work of this kind in.
func (p crashPoint) leave(sync bool) stage {
	if sync {
		return p.syncLeaves
	}
	return p.leaves
}

// work is one operation of one vendor.
type work struct {
	offer     rig.Offer
	operation string
}

// path is the work in a test's name.
func (w work) path() string { return w.offer.Facts.Name + "/" + w.operation + "/" }

// sync reports whether the work is done when it is answered.
func (w work) sync() bool {
	return w.offer.Facts.Name == string(emulator.Volcengine) && w.operation == events.Flush
}

// proof is what a vendor can show of work whose answer was lost.
type proof int

const (
	byRecord proof = iota // that it ran, and that it did not
	byStatus              // that it ran, as long as it runs
	none                  // nothing
)

// proof says what the dossiers say.
func (w work) proof() proof {
	switch emulator.Vendor(w.offer.Facts.Name) {
	case emulator.Volcengine:
		if w.sync() {
			return none
		}
		return byStatus
	case emulator.Huawei:
		if w.operation != events.Restore {
			return byStatus
		}
	}
	return byRecord
}

// allWork lists every operation of every vendor, the first of a vendor being the
// one that stands for it in the short version.
func allWork() []work {
	var out []work
	for _, o := range rig.Offers() {
		for _, op := range o.Operations {
			out = append(out, work{o, op})
		}
	}
	return out
}

// aroundTheCall are the points that matter most, tried with every operation also
// in the short version.
var aroundTheCall = []string{"intent.after", "call.before", "call.sent", "call.answered"}

// standing are the vendors that stand for all where it matters only whether work
// is shown by records or by the status.
var standing = []string{"tencent", "volcengine"}

// chosen reports whether the version that runs tries this pair.
func chosen(w work, p crashPoint) bool {
	if w.sync() && p.asyncOnly || len(p.needs) > 0 && !slices.Contains(p.needs, w.proof()) {
		return false
	}
	switch {
	case rig.Full():
		return true
	case p.first != "":
		return w.operation == w.offer.Operations[0] && slices.Contains(standing, w.offer.Facts.Name)
	}
	return w.operation == w.offer.Operations[0] || slices.Contains(aroundTheCall, p.name)
}
