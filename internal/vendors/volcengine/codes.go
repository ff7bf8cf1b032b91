package volcengine

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
	refused      = class{vendors.Refused, vendors.ReasonVendorRefused}
	unauthorized = class{vendors.Unauthorized, vendors.ReasonUnauthorized}
)

// codes says what each known error code means on a look-up and on a mutation.
// The code decides, never the HTTP status: the gateway answers one code with
// different statuses.
//
// Sources: Volcengine docs 6293/73664 (product), 4/65595 and 6369/68677 (gateway).
var codes = map[string]struct{ look, mutation class }{
	"FlowLimitExceeded":        {throttled, throttled},
	"AccountFlowLimitExceeded": {throttled, throttled},

	// The gateway did not get through to the product, or not back.
	"FailToConnect":          {unavailable, unknown},
	"ServiceUnavailableTemp": {unavailable, unknown},

	"InternalError":          {unavailable, unknown},
	"ServerError":            {unavailable, unknown},
	"InternalServiceError":   {unavailable, unknown},
	"InternalServiceTimeout": {unavailable, unknown},
	"UndefinedError":         {unavailable, unknown},
	"Failed":                 {unavailable, unknown},

	"MissingParameter":       {refused, refused},
	"MissingRequestInfo":     {refused, refused},
	"ServiceNotFound":        {refused, refused},
	"InvalidActionOrVersion": {refused, refused},
	"MethodNotAllowed":       {refused, refused},
	"InstanceNotExist":       {noInstance, noInstance},
	"ParamError":             {refused, refused},
	"InvalidInstanceName":    {refused, refused},
	"InvalidInstanceType":    {refused, refused},
	"InvalidRegion":          {refused, refused},
	"InvalidZone":            {refused, refused},
	"TimeFormatInvalid":      {refused, refused},
	"TimeIntervalInvalid":    {refused, refused},
	"OffsetOutOfRange":       {refused, refused},

	// Clears when the work that runs now ends.
	"InstanceStatusNotMatch": {busy, busy},
	"ResourceNotEnough":      {badState, badState},

	"MissingAuthenticationToken": {unauthorized, unauthorized},
	"MissingSignature":           {unauthorized, unauthorized},
	"InvalidTimestamp":           {unauthorized, unauthorized},
	"InvalidAccessKey":           {unauthorized, unauthorized},
	"SignatureDoesNotMatch":      {unauthorized, unauthorized},
	"LackPolicy":                 {unauthorized, unauthorized},
	"AccessDenied":               {unauthorized, unauthorized},
	"LackProjectPolicy":          {unauthorized, unauthorized},
	"InvalidAuthorization":       {unauthorized, unauthorized},
	"InvalidCredential":          {unauthorized, unauthorized},
	"InvalidSecretToken":         {unauthorized, unauthorized},
}

// classify says what a failed answer means. A look-up has no effect, so what is
// not understood is worth another try; after a mutation it proves nothing.
func classify(status int, code string, mutation bool) class {
	if row, ok := codes[code]; ok {
		if mutation {
			return row.mutation
		}
		return row.look
	}
	callerError := status >= 400 && status < 500
	switch {
	case status == http.StatusTooManyRequests:
		return throttled
	case callerError && (strings.HasPrefix(code, "Invalid") || strings.HasSuffix(code, "NotExist")):
		return refused
	case mutation:
		return unknown
	}
	return unavailable
}
