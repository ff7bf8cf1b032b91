package volcengine

import (
	"slices"
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// The list is written out a second time on purpose: a code that changes its
// class must be changed in two places.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	type answer struct {
		kind   vendors.Kind
		reason string
	}
	wait := answer{vendors.Throttled, "quota_exhausted"}
	away := answer{vendors.Transient, "vendor_unavailable"}
	lost := answer{vendors.Ambiguous, "outcome_unknown"}
	no := answer{vendors.Refused, "vendor_refused"}
	auth := answer{vendors.Unauthorized, "unauthorized"}
	locked := answer{vendors.Busy, "instance_busy"}
	cases := []struct {
		code           string
		status         int
		look, mutation answer
	}{
		{"FlowLimitExceeded", 429, wait, wait},
		{"AccountFlowLimitExceeded", 429, wait, wait},
		{"FailToConnect", 502, away, lost},
		{"ServiceUnavailableTemp", 503, away, lost},
		{"InternalError", 500, away, lost},
		{"ServerError", 400, away, lost},
		{"InternalServiceError", 502, away, lost},
		{"InternalServiceTimeout", 504, away, lost},
		{"UndefinedError", 500, away, lost},
		{"Failed", 400, away, lost},
		{"MissingParameter", 400, no, no},
		{"MissingRequestInfo", 400, no, no},
		{"ServiceNotFound", 404, no, no},
		{"InvalidActionOrVersion", 404, no, no},
		{"MethodNotAllowed", 405, no, no},
		{"InstanceNotExist", 400, answer{vendors.Refused, "instance_not_found"}, answer{vendors.Refused, "instance_not_found"}},
		{"ParamError", 400, no, no},
		{"InvalidInstanceName", 400, no, no},
		{"InvalidInstanceType", 400, no, no},
		{"InvalidRegion", 400, no, no},
		{"InvalidZone", 400, no, no},
		{"TimeFormatInvalid", 400, no, no},
		{"TimeIntervalInvalid", 400, no, no},
		{"OffsetOutOfRange", 400, no, no},
		{"InstanceStatusNotMatch", 400, locked, locked},
		{"ResourceNotEnough", 400, answer{vendors.Refused, "instance_state"}, answer{vendors.Refused, "instance_state"}},
		{"MissingAuthenticationToken", 401, auth, auth},
		{"MissingSignature", 401, auth, auth},
		{"InvalidTimestamp", 400, auth, auth},
		{"InvalidAccessKey", 401, auth, auth},
		{"SignatureDoesNotMatch", 401, auth, auth},
		{"LackPolicy", 403, auth, auth},
		{"AccessDenied", 403, auth, auth},
		{"LackProjectPolicy", 403, auth, auth},
		{"InvalidAuthorization", 400, auth, auth},
		{"InvalidCredential", 400, auth, auth},
		{"InvalidSecretToken", 401, auth, auth},
	}
	var listed []string
	for _, c := range cases {
		listed = append(listed, c.code)
		// The code decides, whatever the status it comes with.
		for _, status := range []int{c.status, 200, 400, 429, 503} {
			if got := classify(status, c.code, false); (answer{got.kind, got.reason}) != c.look {
				t.Errorf("look-up, HTTP %d %s: %v %s, want %v", status, c.code, got.kind, got.reason, c.look)
			}
			if got := classify(status, c.code, true); (answer{got.kind, got.reason}) != c.mutation {
				t.Errorf("mutation, HTTP %d %s: %v %s, want %v", status, c.code, got.kind, got.reason, c.mutation)
			}
		}
	}
	for code := range codes {
		if !slices.Contains(listed, code) {
			t.Errorf("code %s is in the table but not in the test", code)
		}
	}

	for _, c := range []struct {
		code           string
		status         int
		look, mutation answer
	}{
		{"", 0, away, lost}, {"", 200, away, lost}, {"", 302, away, lost}, {"", 400, away, lost}, {"", 403, away, lost},
		{"", 404, away, lost}, {"", 500, away, lost}, {"", 502, away, lost}, {"", 429, wait, wait},
		{"SomethingNew", 400, away, lost}, {"SomethingNew", 500, away, lost}, {"SomethingNew", 429, wait, wait},
		{"InvalidSomething", 400, no, no}, {"BackupNotExist", 404, no, no},
		{"InvalidSomething", 500, away, lost}, {"BackupNotExist", 200, away, lost}, {"instancenotexist", 400, away, lost},
	} {
		if got := classify(c.status, c.code, false); (answer{got.kind, got.reason}) != c.look {
			t.Errorf("look-up, HTTP %d %q: %v %s, want %v", c.status, c.code, got.kind, got.reason, c.look)
		}
		if got := classify(c.status, c.code, true); (answer{got.kind, got.reason}) != c.mutation {
			t.Errorf("mutation, HTTP %d %q: %v %s, want %v", c.status, c.code, got.kind, got.reason, c.mutation)
		}
	}
}
