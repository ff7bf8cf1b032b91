package huawei

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

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
	unusable     = class{vendors.Refused, vendors.ReasonBackupUnusable}
	unsupported  = class{vendors.Refused, vendors.ReasonOperationUnsupported}
	refused      = class{vendors.Refused, vendors.ReasonVendorRefused}
	workFailed   = class{vendors.Refused, vendors.ReasonTaskFailed}
	unauthorized = class{vendors.Unauthorized, vendors.ReasonUnauthorized}
	unexplained  = class{vendors.Unexplained, vendors.ReasonVendorRefused}
)

// rule says what codes mean on a look-up and on a mutation. One number occurs
// with several HTTP statuses and meanings, so a rule holds for its statuses only;
// none means all.
type rule struct {
	statuses       []int
	codes          []string
	look, mutation class
}

// codes is the meaning of every known error code, in the spelling of normal.
//
// Sources: Huawei Cloud api-dcs/ErrorCode.html and devg-apisign/
// api-sign-errorcode.html; the codes 4121, 4231 and 4975 are known from the
// vendor's Terraform provider alone.
var codes = []rule{
	{nil, are("APIGW.0308"), throttled, throttled},

	// The gateway could not check the key, so it passed nothing on.
	{on(503), are("APIGW.0613"), unavailable, unavailable},

	// The gateway did not get through to the service, or not back.
	{on(502, 504), are("APIGW.0201"), unavailable, unknown},
	{on(502), are("APIGW.0610"), unavailable, unknown},
	{on(500), are("APIGW.0601", "APIGW.0605", "APIGW.0606", "APIGW.0608", "APIGW.0611", "APIGW.0705"), unavailable, unknown},

	// The service broke off its work somewhere.
	{on(500), are("DCS.5000", "DCS.5006", "DCS.5017", "DCS.5044", "DCS.5053", "DCS.5070", "DCS.5090", "DCS.5091",
		"DCS.5092", "DCS.5094", "DCS.5095", "DCS.4842", "DCS.4069"), unavailable, unknown},
	// It could not read its records.
	{on(500), are("DCS.5024", "DCS.5077", "DCS.5078", "DCS.5079"), unavailable, unknown},

	// Other work on the instance, which ends.
	{on(400), are("DCS.4026", "DCS.4049", "DCS.4017", "DCS.4096", "DCS.4097", "DCS.4104", "DCS.4108", "DCS.4111", "DCS.4113",
		"DCS.4114", "DCS.4115", "DCS.4116", "DCS.4117", "DCS.4118", "DCS.4120", "DCS.4121", "DCS.4231", "DCS.4975"), busy, busy},
	// States that waiting does not change.
	{on(400), are("DCS.4027", "DCS.4086", "DCS.4094", "DCS.4095", "DCS.4119", "DCS.4855", "DCS.4957"), badState, badState},
	{on(400), are("DCS.4087"), unusable, unusable},
	{on(404), are("DCS.3022"), noInstance, noInstance},

	// The request is wrong.
	{on(400), are("DCS.4002", "DCS.4004", "DCS.4005", "DCS.4025", "DCS.4061", "DCS.4062", "DCS.4063", "DCS.4064", "DCS.4065",
		"DCS.4070", "DCS.4098", "DCS.4100", "DCS.4800", "DCS.3053"), refused, refused},
	{on(404), are("DCS.4001"), refused, refused},
	{on(405), are("DCS.5001"), refused, refused},
	{on(404), are("APIGW.0101"), refused, refused},
	// Gateways with the prefix APIG answer three of these with 500.
	{on(404, 500), are("APIGW.0103"), refused, refused},
	{on(400, 404, 500), are("APIGW.0104", "APIGW.0105"), refused, refused},
	{on(400), are("APIGW.0106", "APIGW.0602", "APIGW.0607"), refused, refused},
	{on(400, 413, 414, 494), are("APIGW.0201"), refused, refused},
	{on(405), are("APIGW.0501", "APIGW.0502"), refused, refused},

	// Key, signature, clock or permission.
	{on(401), are("DCS.1001", "DCS.1002", "DCS.1003", "DCS.1004"), unauthorized, unauthorized},
	{on(403), are("DCS.2003", "DCS.2007", "DCS.3002", "DCS.3003"), unauthorized, unauthorized},
	{on(401), are("APIGW.0301", "APIGW.0303", "APIGW.0305", "APIGW.0307"), unauthorized, unauthorized},
	{on(403), are("APIGW.0302", "APIGW.0304", "APIGW.0306", "APIGW.0310", "APIGW.0401", "APIGW.0402", "APIGW.0404", "APIGW.0802"),
		unauthorized, unauthorized},
}

// on and are keep the rows of the table short.
func on(statuses ...int) []int     { return statuses }
func are(codes ...string) []string { return codes }

// classify says what a failed answer means. A look-up has no effect, so what is
// not understood is worth another try; after a mutation it proves nothing.
func classify(status int, code string, mutation bool) class {
	code = normal(code)
	for _, r := range codes {
		if (r.statuses == nil || slices.Contains(r.statuses, status)) && slices.Contains(r.codes, code) {
			if mutation {
				return r.mutation
			}
			return r.look
		}
	}
	switch {
	case status == http.StatusTooManyRequests:
		return throttled
	case mutation:
		return unknown
	}
	return unavailable
}

// normal gives the one spelling of a code under which the table has it: without
// white space, gateway codes under APIGW, and the legacy nine digits as the DCS
// number of the same meaning.
func normal(code string) string {
	code = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, code)
	if number, ok := strings.CutPrefix(code, "APIG."); ok {
		return "APIGW." + number
	}
	switch code {
	case "111404022":
		return "DCS.3022"
	case "111404001":
		return "DCS.4001"
	case "111405001":
		return "DCS.5001"
	}
	if len(code) != 9 {
		return code
	}
	number := code[6:]
	for _, family := range []struct{ legacy, thousand string }{
		{"111400", "4"}, {"111401", "1"}, {"111403", "3"}, {"111500", "5"},
	} {
		if strings.HasPrefix(code, family.legacy) && strings.Trim(number, "0123456789") == "" {
			return "DCS." + family.thousand + number
		}
	}
	return code
}
