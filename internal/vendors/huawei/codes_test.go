package huawei

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

type meaning struct {
	kind   vendors.Kind
	reason string
}

var (
	wait   = meaning{vendors.Throttled, "quota_exhausted"}
	away   = meaning{vendors.Transient, "vendor_unavailable"}
	lost   = meaning{vendors.Ambiguous, "outcome_unknown"}
	no     = meaning{vendors.Refused, "vendor_refused"}
	auth   = meaning{vendors.Unauthorized, "unauthorized"}
	locked = meaning{vendors.Busy, "instance_busy"}
	state  = meaning{vendors.Refused, "instance_state"}
)

func wantMeaning(t *testing.T, status int, code string, look, mutation meaning) {
	t.Helper()
	if got := classify(status, code, false); (meaning{got.kind, got.reason}) != look {
		t.Errorf("look-up, HTTP %d %q: %v %s, want %v", status, code, got.kind, got.reason, look)
	}
	if got := classify(status, code, true); (meaning{got.kind, got.reason}) != mutation {
		t.Errorf("mutation, HTTP %d %q: %v %s, want %v", status, code, got.kind, got.reason, mutation)
	}
}

// The list is written out a second time on purpose: a code that changes its
// class must be changed in two places.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	cases := []struct {
		status         int
		code           string
		look, mutation meaning
	}{
		{429, "APIGW.0308", wait, wait}, {503, "APIGW.0308", wait, wait}, {429, "APIG.0308", wait, wait},
		{503, "APIGW.0613", away, away},
		{502, "APIGW.0201", away, lost}, {504, "APIGW.0201", away, lost}, {502, "APIGW.0610", away, lost},
		{500, "APIGW.0601", away, lost}, {500, "APIGW.0605", away, lost}, {500, "APIGW.0606", away, lost}, {500, "APIGW.0608", away, lost},
		{500, "APIGW.0611", away, lost}, {500, "APIGW.0705", away, lost},
		{500, "DCS.5000", away, lost}, {500, "DCS.5006", away, lost}, {500, "DCS.5017", away, lost}, {500, "DCS.5044", away, lost},
		{500, "DCS.5053", away, lost}, {500, "DCS.5070", away, lost}, {500, "DCS.5090", away, lost}, {500, "DCS.5091", away, lost},
		{500, "DCS.5095", away, lost}, {500, "DCS.5092", away, lost}, {500, "DCS.5094", away, lost}, {500, "DCS.4842", away, lost},
		{500, "DCS.4069", away, lost},
		{500, "DCS.5024", away, lost}, {500, "DCS.5077", away, lost}, {500, "DCS.5078", away, lost}, {500, "DCS.5079", away, lost},
		{400, "DCS.4026", locked, locked}, {400, "DCS.4049", locked, locked}, {400, "DCS.4017", locked, locked}, {400, "DCS.4096", locked, locked},
		{400, "DCS.4097", locked, locked}, {400, "DCS.4104", locked, locked}, {400, "DCS.4108", locked, locked}, {400, "DCS.4111", locked, locked},
		{400, "DCS.4113", locked, locked}, {400, "DCS.4114", locked, locked}, {400, "DCS.4115", locked, locked}, {400, "DCS.4121", locked, locked},
		{400, "DCS.4116", locked, locked}, {400, "DCS.4117", locked, locked}, {400, "DCS.4118", locked, locked}, {400, "DCS.4120", locked, locked},
		{400, "DCS.4231", locked, locked}, {400, "DCS.4975", locked, locked},
		{400, "DCS.4027", state, state}, {400, "DCS.4086", state, state}, {400, "DCS.4094", state, state}, {400, "DCS.4095", state, state},
		{400, "DCS.4855", state, state}, {400, "DCS.4119", state, state}, {400, "DCS.4957", state, state},
		{400, "DCS.4087", meaning{vendors.Refused, "backup_unusable"}, meaning{vendors.Refused, "backup_unusable"}},
		{404, "DCS.3022", meaning{vendors.Refused, "instance_not_found"}, meaning{vendors.Refused, "instance_not_found"}},
		{400, "DCS.4002", no, no}, {400, "DCS.4004", no, no}, {400, "DCS.4005", no, no}, {400, "DCS.4061", no, no}, {400, "DCS.4062", no, no},
		{400, "DCS.4063", no, no}, {400, "DCS.4800", no, no}, {400, "DCS.4064", no, no}, {400, "DCS.4065", no, no}, {400, "DCS.4070", no, no},
		{400, "DCS.4098", no, no}, {400, "DCS.4100", no, no}, {400, "DCS.4025", no, no}, {400, "DCS.3053", no, no},
		{404, "DCS.4001", no, no}, {405, "DCS.5001", no, no},
		{404, "APIGW.0101", no, no}, {404, "APIGW.0103", no, no}, {400, "APIGW.0104", no, no}, {400, "APIGW.0105", no, no}, {400, "APIGW.0106", no, no},
		{404, "APIGW.0104", no, no}, {404, "APIGW.0105", no, no},
		{500, "APIG.0103", no, no}, {500, "APIG.0104", no, no}, {500, "APIG.0105", no, no},
		{400, "APIGW.0201", no, no}, {413, "APIGW.0201", no, no}, {414, "APIGW.0201", no, no}, {494, "APIGW.0201", no, no},
		{405, "APIGW.0501", no, no}, {405, "APIGW.0502", no, no}, {400, "APIGW.0602", no, no}, {400, "APIGW.0607", no, no},
		{401, "DCS.1001", auth, auth}, {401, "DCS.1002", auth, auth}, {401, "DCS.1003", auth, auth}, {401, "DCS.1004", auth, auth},
		{403, "DCS.2003", auth, auth}, {403, "DCS.3003", auth, auth}, {403, "DCS.2007", auth, auth}, {403, "DCS.3002", auth, auth},
		{401, "APIGW.0301", auth, auth}, {401, "APIGW.0303", auth, auth}, {401, "APIGW.0305", auth, auth}, {401, "APIGW.0307", auth, auth},
		{403, "APIGW.0302", auth, auth}, {403, "APIGW.0304", auth, auth}, {403, "APIGW.0306", auth, auth}, {403, "APIGW.0310", auth, auth},
		{403, "APIGW.0401", auth, auth}, {403, "APIGW.0402", auth, auth}, {403, "APIGW.0404", auth, auth}, {403, "APIGW.0802", auth, auth},
	}
	listed := map[string]bool{}
	for _, c := range cases {
		listed[fmt.Sprint(c.status, normal(c.code))] = true
		wantMeaning(t, c.status, c.code, c.look, c.mutation)
	}
	for _, r := range codes {
		for _, code := range r.codes {
			for _, status := range r.statuses {
				if !listed[fmt.Sprint(status, code)] {
					t.Errorf("HTTP %d %s is in the table but not in the test", status, code)
				}
			}
			if normal(code) != code {
				t.Errorf("%s in the table is not in the spelling of normal, %s", code, normal(code))
			}
		}
	}
}

func TestUnknownCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status         int
		code           string
		look, mutation meaning
	}{
		{0, "", away, lost}, {200, "", away, lost}, {302, "", away, lost}, {400, "", away, lost}, {401, "", away, lost}, {404, "", away, lost},
		{500, "", away, lost}, {502, "", away, lost}, {429, "", wait, wait}, {429, "DCS.4111", wait, wait},
		{400, "DCS.9999", away, lost}, {500, "DCS.4101", away, lost},
		// A known number with another status is another, unknown error.
		{500, "DCS.4111", away, lost}, {200, "DCS.3022", away, lost}, {400, "DCS.5001", away, lost}, {500, "DCS.5001", away, lost},
		{500, "APIGW.0201", away, lost}, {400, "DCS.4069", away, lost},
	} {
		wantMeaning(t, c.status, c.code, c.look, c.mutation)
	}
}

func TestNormal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"DCS.4111": "DCS.4111", "DCS. 4855": "DCS.4855", " DCS.\t4\u00a0855\n": "DCS.4855", "": "",
		"APIG.0201": "APIGW.0201", "APIGW.0201": "APIGW.0201", "APIG. 0201": "APIGW.0201",
		"111400026": "DCS.4026", "111400111": "DCS.4111", "111400069": "DCS.4069", "111400101": "DCS.4101", "111400842": "DCS.4842",
		"111401002": "DCS.1002", "111403002": "DCS.3002", "111404022": "DCS.3022", "111404001": "DCS.4001", "111405001": "DCS.5001",
		"111500006": "DCS.5006", "111 400 111": "DCS.4111",
		"111404002": "111404002", "111402001": "111402001", "11140011": "11140011", "1114001111": "1114001111", "1114001a1": "1114001a1",
	} {
		if got := normal(in); got != want {
			t.Errorf("normal(%q) = %q, want %q", in, got, want)
		}
	}
	if !slices.Contains([]string{"DCS.4087"}, normal("111400087")) {
		t.Error("a legacy code of a backup is lost")
	}
}
