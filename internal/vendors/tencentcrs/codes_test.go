package tencentcrs

import (
	"fmt"
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// documented lists every code of the API's pages with its name and what it means
// on a mutation, written out apart from the table of the adapter.
var documented = []struct {
	code, name string
	kind       vendors.Kind
	reason     string
}{
	{"10501", "PasswordEmpty", vendors.Refused, "password_invalid"},
	{"10701", "InstanceNotExists", vendors.Refused, "instance_not_found"},
	{"10702", "InstanceStatusAbnormal", vendors.Busy, "instance_busy"},
	{"10707", "InstanceLockedError", vendors.Busy, "instance_busy"},
	{"10710", "BackupLockedError", vendors.Busy, "instance_busy"},
	{"10711", "BackupStatusAbnormal", vendors.Refused, "backup_unusable"},
	{"10712", "PasswordError", vendors.Refused, "password_invalid"},
	{"11201", "InvalidParameter", vendors.Refused, "vendor_refused"},
	{"11213", "BackupNotExists", vendors.Refused, "backup_not_found"},
	{"4000", "", vendors.Refused, "vendor_refused"},
	{"4100", "", vendors.Unauthorized, "unauthorized"},
	{"4101", "", vendors.Unauthorized, "unauthorized"},
	{"4102", "", vendors.Unauthorized, "unauthorized"},
	{"4103", "", vendors.Unauthorized, "unauthorized"},
	{"4104", "", vendors.Unauthorized, "unauthorized"},
	{"4105", "", vendors.Unauthorized, "unauthorized"},
	{"4106", "", vendors.Unauthorized, "unauthorized"},
	{"4110", "", vendors.Unauthorized, "unauthorized"},
	{"4200", "", vendors.Unauthorized, "unauthorized"},
	{"4300", "", vendors.Unauthorized, "unauthorized"},
	{"4400", "", vendors.Throttled, "quota_exhausted"},
	{"4500", "", vendors.Unauthorized, "unauthorized"},
	{"4600", "", vendors.Refused, "vendor_refused"},
	{"5000", "", vendors.Refused, "instance_not_found"},
	{"5100", "", vendors.Ambiguous, "outcome_unknown"},
	{"5200", "", vendors.Refused, "instance_state"},
	{"5300", "", vendors.Refused, "instance_state"},
	{"5400", "", vendors.Ambiguous, "outcome_unknown"},
	{"5500", "", vendors.Refused, "instance_state"},
	{"6000", "", vendors.Ambiguous, "outcome_unknown"},
	{"6100", "", vendors.Refused, "vendor_refused"},
	{"6200", "", vendors.Ambiguous, "outcome_unknown"},
	// Never heard of.
	{"1", "", vendors.Ambiguous, "outcome_unknown"},
	{"-1", "", vendors.Ambiguous, "outcome_unknown"},
	{"10799", "", vendors.Ambiguous, "outcome_unknown"},
}

func TestCodes(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, x := range documented {
		covered[x.code] = true
		if got := classify(200, x.code, true); got != (class{x.kind, x.reason}) {
			t.Errorf("%s on a mutation is %v, want %v %s", x.code, got, x.kind, x.reason)
		}
		look := class{x.kind, x.reason}
		if x.kind == vendors.Ambiguous {
			look = class{vendors.Transient, "vendor_unavailable"} // A look-up has no effect.
		}
		if got := classify(200, x.code, false); got != look {
			t.Errorf("%s on a look-up is %v, want %v", x.code, got, look)
		}
		if codes[x.code].name != x.name {
			t.Errorf("%s is named %q, want %q", x.code, codes[x.code].name, x.name)
		}
	}
	for code := range codes {
		if !covered[code] {
			t.Errorf("%s is in the table, but not in the list of this test", code)
		}
	}
}

func TestStatusOtherThan200(t *testing.T) {
	t.Parallel()
	for _, status := range []int{0, 201, 302, 400, 401, 403, 429, 500, 502, 504} {
		for _, x := range documented {
			want := vendors.Ambiguous
			if x.kind == vendors.Throttled {
				want = vendors.Throttled
			}
			if got := classify(status, x.code, true); got.kind != want {
				t.Errorf("status %d with %s on a mutation is %v, want %v", status, x.code, got, want)
			}
			if got := classify(status, x.code, false); got.kind == vendors.Ambiguous {
				t.Errorf("status %d with %s on a look-up is ambiguous", status, x.code)
			}
		}
	}
	if got := classify(429, "", true); got.kind != vendors.Throttled {
		t.Errorf("status 429 without an envelope is %v", got)
	}
}

// Where the product's own code stands.
func TestNumber(t *testing.T) {
	t.Parallel()
	cases := []struct{ code, message, name, want string }{
		{`10707`, "", "", "10707"},
		{`"10707"`, "", "", "10707"},
		{`10707`, "(10701) x", "BackupNotExists", "10707"},
		{`4000`, "(10712)wrong password", "", "10712"},
		{`5100`, " (10707) locked", "InvalidParameter", "10707"},
		{`5000`, "x", "BackupNotExists", "11213"},
		{`5000`, "(100004)projectId", "", "5000"},
		{`4000`, "(4400) x", "", "4000"},
		{`4000`, "(10712", "", "10712"},
		{`4000`, "x (10712)", "", "4000"},
		{`7000`, "(10701) x", "", "10701"},
		{`7000`, "x", "PasswordError", "10712"},
		{`7000`, "x", "Success", "7000"},
		// These say by themselves what happened, or that nobody knows.
		{`4100`, "(10701) x", "", "4100"},
		{`4400`, "(10701) x", "", "4400"},
		{`5400`, "(10701) x", "", "5400"},
		{`6000`, "(10701) x", "InstanceNotExists", "6000"},
		{`6200`, "", "InstanceNotExists", "6200"},
	}
	for _, x := range cases {
		e, err := decodeEnvelope([]byte(fault(x.code, x.message, x.name)))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.number(); got != x.want {
			t.Errorf("%s %q %q gave %s, want %s", x.code, x.message, x.name, got, x.want)
		}
	}
}

func TestDataIsAnObjectOrAListOfOne(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"requestId":375074}`:                  "375074",
		`{"requestId":"375074"}`:                "375074",
		`[{"requestId":375074}]`:                "375074",
		`{"requestId":9007199254740993}`:        "9007199254740993",
		`[{"requestId":1},{"requestId":2}]`:     "",
		`[]`:                                    "",
		`null`:                                  "",
		`5`:                                     "",
		`{"requestId":0}`:                       "",
		`{"requestId":1.5}`:                     "",
		`{"requestId":"8cf6b1d1-5c2b-4ee7"}`:    "",
		`{"requestId":99999999999999999999999}`: "",
	} {
		e, err := decodeEnvelope([]byte(success(fmt.Sprintf(`"data":%s`, data))))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeAccepted(e); got != want || (err == nil) != (want != "") {
			t.Errorf("%s gave %q, %v; want %q", data, got, err, want)
		}
	}
}
