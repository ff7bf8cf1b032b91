package tencentcrs

import (
	"net/http"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// class is what an error code means to the engine.
type class struct {
	kind   vendors.Kind
	reason string
}

var (
	throttled    = class{vendors.Throttled, vendors.ReasonQuotaExhausted}
	unavailable  = class{vendors.Transient, vendors.ReasonVendorUnavailable}
	unknown      = class{vendors.Ambiguous, vendors.ReasonOutcomeUnknown}
	busy         = class{vendors.Busy, vendors.ReasonInstanceBusy}
	badState     = class{vendors.Refused, vendors.ReasonInstanceState}
	noInstance   = class{vendors.Refused, vendors.ReasonInstanceNotFound}
	noBackup     = class{vendors.Refused, vendors.ReasonBackupNotFound}
	badBackup    = class{vendors.Refused, vendors.ReasonBackupUnusable}
	badPassword  = class{vendors.Refused, vendors.ReasonPasswordInvalid}
	unsupported  = class{vendors.Refused, vendors.ReasonOperationUnsupported}
	refused      = class{vendors.Refused, vendors.ReasonVendorRefused}
	taskFailed   = class{vendors.Refused, vendors.ReasonTaskFailed}
	unauthorized = class{vendors.Unauthorized, vendors.ReasonUnauthorized}
)

// code is one row of the table of error codes.
type code struct {
	// name is what codeDesc says, known for the product's own codes only.
	name string
	// class is the meaning on a mutation. After an unknown outcome a look-up,
	// which has no effect, is worth another try instead; everything else means
	// the same to both.
	class class
	// vague codes may stand above one of the product's own codes, which is then
	// in the message or the name.
	vague bool
}

// codes says what each known error code means.
//
// Source: Tencent Cloud docs 239/1757 and the pages of the actions.
var codes = map[string]code{
	"10501": {"PasswordEmpty", badPassword, false},
	"10701": {"InstanceNotExists", noInstance, false},
	// Does not say which state it is. The next Prepare reads it, and tells a flow
	// in process from an isolated instance.
	"10702": {"InstanceStatusAbnormal", busy, false},
	"10707": {"InstanceLockedError", busy, false},
	"10710": {"BackupLockedError", busy, false},
	"10711": {"BackupStatusAbnormal", badBackup, false},
	"10712": {"PasswordError", badPassword, false},
	"11201": {"InvalidParameter", refused, false},
	"11213": {"BackupNotExists", noBackup, false},

	"4000": {"", refused, true},
	"4100": {"", unauthorized, false},
	"4101": {"", unauthorized, false},
	"4102": {"", unauthorized, false},
	"4103": {"", unauthorized, false},
	"4104": {"", unauthorized, false},
	"4105": {"", unauthorized, false},
	"4106": {"", unauthorized, false},
	"4110": {"", unauthorized, false},
	"4200": {"", unauthorized, false},
	"4300": {"", unauthorized, false},
	"4400": {"", throttled, false},
	// A nonce used before or a clock that is off. Our nonces are fresh and no
	// request goes out twice, so it is the clock, and nothing was executed.
	"4500": {"", unauthorized, false},
	"4600": {"", refused, false},
	"5000": {"", noInstance, true},
	"5100": {"", unknown, true},
	"5200": {"", badState, false},
	"5300": {"", badState, false},
	"5400": {"", unknown, false},
	"5500": {"", badState, false},
	"6000": {"", unknown, false},
	"6100": {"", refused, false},
	// Under maintenance, but since when is not said.
	"6200": {"", unknown, false},
}

// number finds the code of an error by its name.
func number(name string) (string, bool) {
	for n, c := range codes {
		if c.name != "" && c.name == name {
			return n, true
		}
	}
	return "", false
}

// classify says what a failed answer means. The service is taken to answer
// errors with status 200, so any other status is the word of something in
// between, which proves nothing about a mutation unless it is about the rate of
// calls.
func classify(status int, number string, mutation bool) class {
	row, ok := codes[number]
	if !ok {
		row.class = unknown
	}
	switch {
	case number == "" && status == http.StatusTooManyRequests:
		return throttled
	case mutation && status != http.StatusOK && row.class != throttled:
		return unknown
	case !mutation && row.class == unknown:
		return unavailable
	}
	return row.class
}

// verdict is the class with a message.
func (c class) verdict(message string) vendors.Verdict {
	return vendors.Verdict{Kind: c.kind, Reason: c.reason, Message: vendors.Clean(message)}
}

// from is a verdict of ours with the words of the look-up that it is drawn from.
func (c class) from(look vendors.Verdict, message string) vendors.Verdict {
	v := c.verdict(message)
	v.Response = look.Response
	return v
}
