package tencent

import (
	"net/http"
	"strings"

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

// codes says what a known error code means on a mutation, either a whole code or
// the part before the first dot. After an unknown outcome a look-up, which has no
// effect, is worth another try instead; everything else means the same to both.
//
// Sources: Tencent Cloud docs 239/34435 and 239/20021 (error codes), and the
// product's error list in tencentcloud-sdk-go, redis/v20180412.
var codes = map[string]class{
	// Stopped at the gateway, before execution. All its subcodes are limits too.
	"RequestLimitExceeded": throttled,

	// Locks and other work that ends by itself. "UnLocked" is the vendor's slip:
	// its text says that the instance is locked by another flow.
	"ResourceInUse": busy,
	"ResourceUnavailable.InstanceLockedError":   busy,
	"ResourceUnavailable.InstanceUnLockedError": busy,
	"ResourceUnavailable.BackupLockedError":     busy,
	"LimitExceeded.ReplicationGroupLocked":      busy,
	"UnsupportedOperation.Inspection":           busy,
	// These do not say which state it is. The next Prepare reads it, and tells a
	// flow in process from an isolated instance.
	"ResourceUnavailable.InstanceStatusAbnormal": busy,
	"ResourceUnavailable.InstanceStateError":     busy,
	"ResourceUnavailable.InstanceStatusError":    busy,

	// Nothing in these says how far the call got.
	"InternalError":             unknown,
	"FailedOperation":           unknown,
	"ServiceUnavailable":        unknown,
	"ResourceUnavailable":       unknown,
	"ResponseSizeLimitExceeded": unknown,

	"ResourceUnavailable.InstanceIsolated":            badState,
	"ResourceUnavailable.InstanceDeleted":             badState,
	"FailedOperation.PayFailed":                       badState,
	"LimitExceeded":                                   badState,
	"ResourceInsufficient":                            badState,
	"ResourceUnavailable.BackupStatusAbnormal":        badBackup,
	"ResourceUnavailable.BackupStatusInvalid":         badBackup,
	"ResourceUnavailable.BackupSpecError":             badBackup,
	"FailedOperation.UnSupportError":                  unsupported,
	"ResourceUnavailable.InstanceNotSupportOperation": unsupported,
	"UnsupportedOperation":                            unsupported,

	"InvalidParameter":                        refused,
	"InvalidParameterValue":                   refused,
	"InvalidParameterValue.BackupNotExists":   noBackup,
	"InvalidParameterValue.PasswordEmpty":     badPassword,
	"InvalidParameterValue.PasswordError":     badPassword,
	"InvalidParameterValue.PasswordRuleError": badPassword,
	"ResourceNotFound":                        noInstance,
	"MissingParameter":                        refused,
	"UnknownParameter":                        refused,
	"InvalidAction":                           refused,
	"InvalidRequest":                          refused,
	"NoSuchProduct":                           refused,
	"NoSuchVersion":                           refused,
	"UnsupportedRegion":                       refused,
	"UnsupportedProtocol":                     refused,
	"RequestSizeLimitExceeded":                refused,
	"ActionOffline":                           refused,

	// Access management also answers under names of other families.
	"AuthFailure":                                     unauthorized,
	"UnauthorizedOperation":                           unauthorized,
	"IpInBlacklist":                                   unauthorized,
	"IpNotInWhitelist":                                unauthorized,
	"InvalidParameter.PermissionDenied":               unauthorized,
	"InternalError.InstanceOperatePermissionError":    unauthorized,
	"InternalError.CamAuthOssResponseReturnCodeError": unauthorized,
}

// meaning looks a code up, whole first and then by its family.
func meaning(code string) class {
	if c, ok := codes[code]; ok {
		return c
	}
	family, _, _ := strings.Cut(code, ".")
	if c, ok := codes[family]; ok {
		return c
	}
	return unknown
}

// classify says what a failed answer means. The service answers errors with
// status 200 too, so any other status is the word of something in between, which
// proves nothing about a mutation unless it is about the rate of calls.
func classify(status int, code string, mutation bool) class {
	c := meaning(code)
	switch {
	case code == "" && status == http.StatusTooManyRequests:
		return throttled
	case mutation && status != http.StatusOK && c != throttled:
		return unknown
	case !mutation && c == unknown:
		return unavailable
	}
	return c
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
