package main

import (
	"time"

	"github.com/seed-7b870224/sluice/internal/emulator"
	"github.com/seed-7b870224/sluice/internal/events"
)

// ending is how a command ends whose answer was lost.
type ending struct {
	status string
	// calls is how often the mutation was sent.
	calls int
}

var (
	// The vendor shows that it ran: nothing is sent again.
	succeeds = ending{events.Succeeded, 1}
	// The vendor shows that nothing ran, and the signature can take effect no
	// more: it is safe to send it again.
	isSentAgain = ending{events.Succeeded, 2}
	// The vendor can show neither: a person must look, and nothing is sent again.
	isUndetermined = ending{events.Indeterminate, 1}
)

// showable says what the vendors' look-ups can show of each operation.
var showable = []struct {
	vendor, operation string
	// ran and nothing are the endings if it took effect, and if it did not.
	ran, nothing ending
	// look is where a person is sent who must find out.
	look string
}{
	// The only trace is the status while the work runs, and a flush has none.
	{"volcengine", "restart", succeeds, isUndetermined, "CloudTrail (LookupEvents) for RestartDBInstance"},
	{"volcengine", "restore", succeeds, isUndetermined, "CloudTrail (LookupEvents) for RestoreDBInstance"},
	{"volcengine", "flush", isUndetermined, isUndetermined, "CloudTrail (LookupEvents) for FlushDBInstance"},
	// The status shows work at hand; only restores leave records, with our remark.
	{"huawei", "restart", succeeds, isUndetermined, "Cloud Trace Service (CTS, service DCS) for the trace restartDCSInstance"},
	{"huawei", "soft_restart", succeeds, isUndetermined, "Cloud Trace Service (CTS, service DCS) for the trace restartDCSInstance"},
	{"huawei", "flush", succeeds, isUndetermined, "Cloud Trace Service (CTS, service DCS) for the trace flushDCSInstance"},
	{"huawei", "restore", succeeds, isSentAgain, ""},
	// Every mutation is a row in the list of tasks.
	{"tencent", "flush", succeeds, isSentAgain, ""},
	{"tencent", "restore", succeeds, isSentAgain, ""},
	{"tencent-crs", "flush", succeeds, isSentAgain, ""},
	{"tencent-crs", "restore", succeeds, isSentAgain, ""},
}

// The times of the test: vendors' signatures live for seconds, and the consumer
// knows.
const (
	signatureLife = 6 * time.Second
	// callTimeout is when the consumer gives a call up.
	callTimeout = 1500 * time.Millisecond
	// late is after that, and within the life of the signature.
	late = 2500 * time.Millisecond
	// tooLate is when the vendor refuses the signature.
	tooLate = 7200 * time.Millisecond
	// workTime is how long the work takes that a call starts.
	workTime = 3 * time.Second
	// lag is how late status and lists tell of work.
	lag = 1200 * time.Millisecond
)

// losses are the ways in which an answer gets lost.
var losses = []struct {
	name string
	// ran reports that the call takes effect all the same.
	ran  bool
	kind emulator.FaultKind
	// delay is how late the call takes effect.
	delay  time.Duration
	status int
}{
	{"effect, then a dropped connection", true, emulator.FaultDropAfter, 0, 0},
	{"a dropped connection before any effect", false, emulator.FaultDropBefore, 0, 0},
	{"effect, then 504", true, emulator.FaultStatusAfter, 0, 504},
	{"504 before any effect", false, emulator.FaultStatusBefore, 0, 504},
	{"effect, then an empty 200", true, emulator.FaultEmptyAfter, 0, 0},
	{"an empty 200 before any effect", false, emulator.FaultEmptyBefore, 0, 0},
	{"effect, then a garbled 200", true, emulator.FaultGarbageAfter, 0, 0},
	{"a garbled 200 before any effect", false, emulator.FaultGarbageBefore, 0, 0},
	{"no answer in time, the effect comes late", true, emulator.FaultLateEffect, late, 0},
	{"no answer in time, the signature lapses on the way", false, emulator.FaultLateEffect, tooLate, 0},
}

// lossyClouds are the emulated clouds in which all of this happens. The table
// above holds in each: whatever Volcengine does with a ClientToken that it has
// seen, and although status and lists may lag behind.
var lossyClouds = []struct {
	name    string
	vendors []string
	quirks  emulator.Quirks
}{
	{"replay", []string{"volcengine", "huawei", "tencent", "tencent-crs"}, emulator.Quirks{VolcengineToken: "replay"}},
	{"ignore", []string{"volcengine"}, emulator.Quirks{VolcengineToken: "ignore"}},
	{"mismatch", []string{"volcengine"}, emulator.Quirks{VolcengineToken: "mismatch", StatusLag: lag}},
	{"lagging", []string{"huawei", "tencent", "tencent-crs"}, emulator.Quirks{StatusLag: lag / 2, RowLag: lag}},
}
